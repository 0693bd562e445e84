/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "kho/core/slots.h"
#include "kho/daemon/digest.h"
#include "kho/daemon/fdstore.h"
#include "kho/daemon/incoming-private.h"
#include "kho/daemon/log.h"
#include "kho/transport/parallel.h"
#include "kho/transport/carrier.h"
#include "kho/transport/luo.h"

#ifndef F_SEAL_EXEC /* linux/fcntl.h can't be included beside fcntl.h */
#define F_SEAL_EXEC 0x0020
#endif

#define NO_SESSION UINT32_MAX
#define STORE_USEC (60 * UINT64_C(1000000))

struct incoming *incoming_free(struct incoming *in)
{
	if (!in)
		return NULL;
	for (size_t i = 0; i < in->n_items; i++) {
		safe_close(in->items[i].fd);
		free(in->about[i].label);
		free(in->about[i].lost);
		free(in->about[i].damaged);
	}
	for (size_t i = 0; i < in->n_sessions; i++)
		safe_close(in->sessions[i]);
	free(in->sessions);
	free(in->items);
	free(in->about);
	handover_free(in->base);
	free(in->message);
	free(in->note);
	free(in);
	return NULL;
}

static bool is_in_session(const struct region *region)
{
	return region->transport && !carrier_find(region->transport);
}

static int add_item(struct incoming *in, const struct region *region)
{
	struct transport_item *items = reallocarray(in->items, in->n_items + 1, sizeof(*items));
	struct incoming_item *about;
	char *label;
	int r;

	if (!items)
		return -ENOMEM;
	in->items = items;
	about = reallocarray(in->about, in->n_items + 1, sizeof(*about));
	if (!about)
		return -ENOMEM;
	in->about = about;
	if (region)
		r = asprintf(&label, "region \"%s\" of %s", region->name, region->owner);
	else
		r = asprintf(&label, "the handover tree");
	if (r < 0)
		return -ENOMEM;
	items[in->n_items] = (struct transport_item){.fd = -EBADF, .label = label};
	about[in->n_items] = (struct incoming_item){.label = label, .carried = true};
	if (region) {
		/* What was left behind has no place: 0, 0 is where the tree is. */
		items[in->n_items].session = is_in_session(region) ? region->session : NO_SESSION;
		items[in->n_items].token = region->token;
		items[in->n_items].size = region->size;
		about[in->n_items].id = region->id;
		about[in->n_items].carried = region->transport;
	}
	in->n_items++;
	return 0;
}

static struct incoming_item *find_item(struct incoming *in, uint32_t id)
{
	for (size_t i = 1; i < in->n_items; i++)
		if (in->about[i].id == id)
			return &in->about[i];
	return NULL;
}

/* Every region of the base that is not lost since an earlier update. */
static int add_regions(struct incoming *in)
{
	for (size_t i = 0; i < in->base->n_regions; i++) {
		const struct region *region = in->base->regions[i];
		int r;

		if (find_item(in, region->id) || region->check == REGION_LOST)
			continue;
		r = add_item(in, region);
		if (r < 0)
			return r;
	}
	return 0;
}

struct incoming *incoming_new(const struct transport *transport, const struct kernel_info *kernel,
			      struct handover *base)
{
	_cleanup_(incoming_freep) struct incoming *in = calloc(1, sizeof(*in));

	if (!in) {
		handover_free(base);
		return NULL;
	}
	*in = (struct incoming){.transport = transport, .kernel = kernel, .base = base};
	if (add_item(in, NULL) < 0 || add_regions(in) < 0)
		return NULL;
	return TAKE_PTR(in);
}

static int want_sessions(struct incoming *in, size_t n)
{
	int *sessions;

	if (n <= in->n_sessions)
		return 0;
	sessions = reallocarray(in->sessions, n, sizeof(*sessions));
	if (!sessions)
		return -ENOMEM;
	in->sessions = sessions;
	while (in->n_sessions < n)
		sessions[in->n_sessions++] = -EBADF;
	return 0;
}

int incoming_add_session(struct incoming *in, size_t number, int fd)
{
	_cleanup_close_ int owned = fd;
	int r = want_sessions(in, number + 1);

	if (r < 0)
		return r;
	safe_close(in->sessions[number]);
	in->sessions[number] = TAKE_FD(owned);
	return 0;
}

int incoming_add_memory(struct incoming *in, uint32_t id, int fd)
{
	_cleanup_close_ int owned = fd;
	struct incoming_item *about = find_item(in, id);
	size_t i;

	if (!about)
		return -ENOENT;
	i = about - in->about;
	safe_close(in->items[i].fd);
	in->items[i].fd = TAKE_FD(owned);
	about->held = true;
	return 0;
}

/* Where all went by copy there is none: the ledger is what there is of the tree. */
static bool tree_has_session(const struct incoming *in)
{
	const char *transport = in->base->transport;

	return !transport || !strcmp(transport, in->transport->name);
}

static size_t sessions_needed(const struct incoming *in)
{
	size_t n = tree_has_session(in);

	for (size_t i = 1; i < in->n_items; i++)
		if (in->items[i].session != NO_SESSION && (size_t)in->items[i].session + 1 > n)
			n = (size_t)in->items[i].session + 1;
	return n;
}

static uint64_t bytes_needed(const struct incoming *in)
{
	uint64_t bytes = in->items[0].fd < 0 && tree_has_session(in) ? SLOTS_SIZE : 0;

	for (size_t i = 1; i < in->n_items; i++)
		if (in->about[i].carried && in->items[i].fd < 0)
			bytes += in->items[i].size;
	return bytes;
}

static int attach_session(struct incoming *in, size_t number)
{
	char name[LUO_SESSION_NAME_MAX + 1];
	int r, fd;

	r = in->transport->attach(in->base->update_id, number, 1, &fd, &in->message);
	if (r < 0)
		return r;
	in->sessions[number] = fd;
	if (fd < 0)
		return 0;
	/* At once: should khod be killed in between, the kernel frees what is in the session
	 * (kernel/liveupdate/luo_session.c, luo_session_release).
	 */
	r = luo_session_name(name, in->base->update_id, number);
	return r < 0 ? r : fdstore_push(name, fd);
}

/* Takes the sessions that are not here yet. An error is one of all sessions. */
static int attach(struct incoming *in)
{
	int r = want_sessions(in, sessions_needed(in));

	for (size_t i = 0; r >= 0 && i < in->n_sessions; i++)
		if (in->sessions[i] == -EBADF)
			r = attach_session(in, i);
	/* From here a session outlives khod, and with it what is still in there. */
	return r < 0 ? r : fdstore_wait(STORE_USEC);
}

static int parse_tree(int fd, struct handover **ret)
{
	_cleanup_free_ void *blob = NULL;
	size_t size;
	struct stat st;
	void *memory;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size != (off_t)SLOTS_SIZE)
		return -EBADMSG;
	memory = mmap(NULL, SLOTS_SIZE, PROT_READ, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return -errno;
	r = slots_read(memory, SLOTS_SIZE, &blob, &size, NULL);
	munmap(memory, SLOTS_SIZE);
	return r < 0 ? r : handover_parse(blob, size, ret);
}

/* A handover that takes the ledger's place has nothing in it. */
static bool has_ledger(const struct incoming *in)
{
	return in->base->boot_id[0];
}

static int tree_problem(struct incoming *in, const char *what)
{
	const char *instead =
		has_ledger(in) ? "going by the ledger" : "what was in it is not known";
	int r = handover_add_problem(in->base, "the handover tree %s: %s", what, instead);

	log_error("The handover tree %s: %s", what, instead);
	return r;
}

/* Regions that the ledger knows, and the tree that arrived does not. */
static void compare_with_ledger(struct handover *tree, const struct handover *ledger)
{
	for (size_t i = 0; i < ledger->n_regions; i++) {
		const struct region *region = ledger->regions[i];

		if (region->transport && !handover_find_id(tree, region->id))
			(void)handover_add_problem(
				tree,
				"region \"%s\" of %s is in the ledger and not in the handover tree",
				region->name, region->owner);
	}
}

/* The tree that arrived may be newer than the ledger; it may also be damaged. */
static int take_tree(struct incoming *in)
{
	_cleanup_handover_ struct handover *tree = NULL;
	bool has_session = in->n_sessions > 0 && in->sessions[0] >= 0;
	int r;

	if (in->tree_taken || (!has_session && in->items[0].fd < 0))
		return 0;
	in->tree_taken = true;
	if (in->items[0].fd < 0)
		in->transport->retrieve(in->sessions[0], 0, in->items, 1);
	if (in->items[0].fd < 0)
		return tree_problem(in, "did not arrive");
	r = parse_tree(in->items[0].fd, &tree);
	if (r == -EPROTONOSUPPORT)
		return tree_problem(in, "is of a newer version of kho-tools");
	if (r < 0)
		return tree_problem(in, "arrived damaged");
	if (!tree->update_id || strcmp(tree->update_id, in->base->update_id))
		return tree_problem(in, "is of another update");
	if (tree->generation < in->base->generation)
		return tree_problem(in, "arrived damaged, but for an old version of it");
	if (tree->generation == in->base->generation)
		return 0;
	compare_with_ledger(tree, in->base);
	if (!has_ledger(in) && in->base->problems)
		in->note = strdup(in->base->problems[0]);
	handover_free(in->base);
	in->base = TAKE_PTR(tree);
	return add_regions(in);
}

int incoming_add_tree(struct incoming *in, int fd)
{
	safe_close(in->items[0].fd);
	in->items[0].fd = fd;
	in->about[0].held = true;
	return take_tree(in);
}

static int retrieve_session(size_t index, void *data)
{
	struct incoming *in = data;

	if (in->sessions[index] >= 0)
		in->transport->retrieve(in->sessions[index], index, in->items, in->n_items);
	return 0;
}

/* The first item that only waits for something to be put right, or NULL. */
static const struct incoming_item *unfinished_item(const struct incoming *in, int *ret_error)
{
	for (size_t i = 1; i < in->n_items; i++) {
		const struct transport_item *item = &in->items[i];

		if (item->fd < 0 && item->error < 0 && !in->transport->is_final(item->error)) {
			*ret_error = item->error;
			return &in->about[i];
		}
	}
	return NULL;
}

static int say_unfinished(struct incoming *in)
{
	int error = 0;
	const struct incoming_item *about = unfinished_item(in, &error);

	if (!about)
		return 0;
	if (asprintf(&in->message, "%s can't be taken over yet: %s", about->label,
		     in->transport->retrieve_advice(error)) < 0)
		in->message = NULL;
	return -EAGAIN;
}

static int store_memory(struct incoming *in)
{
	char name[REGION_STORE_NAME_MAX];

	for (size_t i = 0; i < in->n_items; i++) {
		int r;

		if (in->items[i].fd < 0 || in->about[i].held)
			continue;
		r = fdstore_push(i == 0 ? INCOMING_TREE_STORE_NAME
					: region_store_name(in->about[i].id, name),
				 in->items[i].fd);
		if (r < 0)
			return r;
	}
	return fdstore_wait(STORE_USEC);
}

static void finish(struct incoming *in)
{
	char name[LUO_SESSION_NAME_MAX + 1];

	for (size_t i = 0; i < in->n_sessions; i++) {
		int r;

		if (in->sessions[i] < 0)
			continue;
		r = in->transport->finish(in->sessions[i]);
		if (r < 0)
			log_error("Session %zu can't be finished: %s", i, strerror(-r));
		in->sessions[i] = safe_close(in->sessions[i]);
		if (luo_session_name(name, in->base->update_id, i) >= 0)
			fdstore_remove(name);
	}
	(void)fdstore_wait(STORE_USEC);
}

static const char *why_no_session(const struct incoming *in, int error)
{
	if (error == -EINVAL)
		return "its session was taken by another program in this boot";
	if (!in->kernel->luo)
		return in->kernel->luo_reason ? in->kernel->luo_reason
					      : "this kernel has no live update orchestrator";
	if (in->kernel->has_metadata && in->kernel->kexec_count > 0)
		return "its session did not arrive, although the previous kernel handed something over";
	return "this kernel got no handover: the machine started cold, by a kexec without one, or "
	       "from a kernel that it does not agree with";
}

static void explain_lost(struct incoming *in, int attach_error)
{
	for (size_t i = 1; i < in->n_items; i++) {
		struct incoming_item *about = &in->about[i];
		const struct region *region = handover_find_id(in->base, about->id);
		const char *why;

		if (in->items[i].fd >= 0 || about->lost)
			continue;
		if (!about->carried)
			why = region && region->reason ? region->reason : "no update carried it";
		else if (in->items[i].error < 0)
			why = in->transport->retrieve_advice(in->items[i].error);
		else if (attach_error < 0 && in->kernel->luo)
			why = in->message ? in->message : strerror(-attach_error);
		else
			why = why_no_session(in, in->items[i].session < in->n_sessions
							 ? in->sessions[in->items[i].session]
							 : attach_error);
		about->lost = strdup(why);
	}
}

static void add_damage(struct incoming_item *about, const char *what, int error)
{
	if (!about->damaged &&
	    asprintf(&about->damaged, error < 0 ? "%s: %s" : "%s", what, strerror(-error)) < 0)
		about->damaged = NULL;
}

static void reapply(struct incoming_item *about, const struct region *region, int fd)
{
	struct stat st = {};
	int seals = fcntl(fd, F_GET_SEALS);
	mode_t mode = region->mode & 07777;

	if (fstat(fd, &st) < 0 || (uint64_t)st.st_size != region->size)
		add_damage(about, "it arrived with another size", 0);
	if (lseek(fd, region->position, SEEK_SET) < 0)
		add_damage(about, "its position can't be set", -errno);
	/* The kernel makes the new file 0777 (mm/memfd_luo.c), and F_SEAL_EXEC, which it does
	 * restore, forbids to change the bits of execution.
	 */
	if (seals >= 0 && seals & F_SEAL_EXEC)
		mode = (mode & ~0111) | (st.st_mode & 0111);
	if (fchmod(fd, mode) < 0)
		add_damage(about, "its mode can't be set", -errno);
	if (region->seals && (seals < 0 || (region->seals & ~(uint32_t)seals)) &&
	    fcntl(fd, F_ADD_SEALS, region->seals) < 0)
		add_damage(about, "its seals can't be set", -errno);
}

static int verify_item(size_t index, void *data)
{
	struct incoming *in = data;
	struct incoming_item *about = &in->about[index];
	const struct region *region = handover_find_id(in->base, about->id);
	int fd = in->items[index].fd, r;
	uint8_t digest[DIGEST_SIZE];

	if (!about->id || fd < 0 || !region)
		return 0;
	reapply(about, region, fd);
	if (!region->has_digest || about->damaged)
		return 0;
	r = digest_memory(fd, region->size, digest);
	if (r < 0)
		add_damage(about, "it can't be read", r);
	else if (memcmp(digest, region->digest, DIGEST_SIZE))
		add_damage(about, "its content is not what it was when the update began", 0);
	else
		about->verified = true;
	return 0;
}

int incoming_restore(struct incoming *in)
{
	int r, attached;

	free(TAKE_PTR(in->message));
	r = in->transport->room(bytes_needed(in), &in->message);
	if (r < 0 && r == -EDQUOT)
		return r;
	attached = attach(in);
	if (attached == -EBUSY || attached == -ENOMEM)
		return attached;
	if (attached >= 0) {
		r = take_tree(in);
		if (r >= 0)
			r = attach(in);
		if (r == -EBUSY || r == -ENOMEM)
			return r;
		/* The tree that arrived may tell of more than the ledger. */
		r = in->transport->room(bytes_needed(in), &in->message);
		if (r == -EDQUOT)
			return r;
		parallel_for(in->n_sessions, retrieve_session, in);
		r = say_unfinished(in);
		if (r < 0)
			return r;
	}
	r = incoming_take_copies(in);
	if (r < 0)
		return r;
	r = store_memory(in);
	if (r < 0)
		log_error("The fd store does not take the regions: %s; they are lost if khod ends",
			  strerror(-r));
	explain_lost(in, attached);
	finish(in);
	parallel_for(in->n_items, verify_item, in);
	return 0;
}
