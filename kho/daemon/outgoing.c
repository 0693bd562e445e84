/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "kho/core/cleanup.h"
#include "kho/daemon/copies.h"
#include "kho/daemon/fdstore.h"
#include "kho/daemon/outgoing.h"
#include "kho/transport/parallel.h"
#include "kho/transport/luo.h"

/* How long services may be kept waiting while folios are made large. */
#define GROOM_USEC (10 * UINT64_C(1000000))
#define GROOM_SLICE_USEC UINT64_C(50000)
#define RELEASE_USEC (60 * UINT64_C(1000000))
#define STORE_USEC (30 * UINT64_C(1000000))

static int add_item(struct outgoing *o, const struct outgoing_item *about,
		    const struct transport_item *item)
{
	struct transport_item *items = reallocarray(o->items, o->n_items + 1, sizeof(*items));
	struct outgoing_item *abouts;

	if (!items)
		return -ENOMEM;
	o->items = items;
	abouts = reallocarray(o->about, o->n_items + 1, sizeof(*abouts));
	if (!abouts)
		return -ENOMEM;
	o->about = abouts;
	o->items[o->n_items] = *item;
	o->about[o->n_items] = *about;
	o->items[o->n_items].label = about->label;
	o->n_items++;
	return 0;
}

struct outgoing *outgoing_new(const struct transport *transport, const char *update_id, int tree_fd)
{
	_cleanup_(outgoing_freep) struct outgoing *o = calloc(1, sizeof(*o));
	_cleanup_free_ char *label = strdup("the handover tree");

	if (!o || !label)
		return NULL;
	o->transport = transport;
	o->signpost = LUO_SIGNPOST_NONE;
	o->failed = SIZE_MAX;
	o->update_id = strdup(update_id);
	if (!o->update_id || add_item(o, &(struct outgoing_item){.required = true, .label = label},
				      &(struct transport_item){.fd = tree_fd}) < 0)
		return NULL;
	TAKE_PTR(label);
	return TAKE_PTR(o);
}

struct outgoing *outgoing_free(struct outgoing *o)
{
	if (!o)
		return NULL;
	for (size_t i = 0; i < o->n_items; i++) {
		free(o->about[i].label);
		free(o->about[i].reason);
	}
	for (size_t i = 0; i < o->n_sessions; i++)
		safe_close(o->sessions[i]);
	safe_close(o->signpost.session);
	safe_close(o->signpost.memory);
	free(o->sessions);
	free(o->items);
	free(o->about);
	free(o->update_id);
	free(o->message);
	free(o);
	return NULL;
}

static bool has_region(const struct outgoing *o, uint32_t id)
{
	for (size_t i = 0; i < o->n_items; i++)
		if (o->about[i].id == id)
			return true;
	return false;
}

static int add_region(struct outgoing *o, const struct region *region, int fd)
{
	_cleanup_free_ char *label = NULL;
	int r;

	if (asprintf(&label, "region \"%s\" of %s", region->name, region->owner) < 0)
		return -ENOMEM;
	r = add_item(o,
		     &(struct outgoing_item){.id = region->id,
					     .required = region->required && !o->best_effort,
					     .label = label},
		     &(struct transport_item){.fd = fd,
					      .size = region->size,
					      .session = region->session,
					      .token = region->token});
	if (r >= 0)
		TAKE_PTR(label);
	return r;
}

int outgoing_collect(struct outgoing *o, const struct registry *registry,
		     const struct copies *copies)
{
	size_t first = o->n_items;
	int r;

	for (size_t i = 0; i < registry->tree->n_regions; i++) {
		const struct region *region = registry->tree->regions[i];
		int fd = registry_fd(registry, region);

		if (fd < 0 || has_region(o, region->id) || copies_take(copies, region))
			continue;
		r = add_region(o, region, fd);
		if (r < 0)
			return r;
	}
	/* The tree has not been placed before the first time. */
	o->transport->place(o->items, o->n_preserved == 0 ? 0 : first, o->n_items);
	return 0;
}

void outgoing_forget(struct outgoing *o, uint32_t id)
{
	for (size_t i = 1; o->n_preserved == 0 && i < o->n_items; i++) {
		if (o->about[i].id != id)
			continue;
		free(o->about[i].label);
		free(o->about[i].reason);
		o->n_items--;
		memmove(&o->about[i], &o->about[i + 1], (o->n_items - i) * sizeof(*o->about));
		memmove(&o->items[i], &o->items[i + 1], (o->n_items - i) * sizeof(*o->items));
		return;
	}
}

static int fail(struct outgoing *o, int error, size_t item, char *message)
{
	free(o->message);
	o->error = error;
	o->failed = item;
	o->message = message;
	return error;
}

static bool is_given_up(const struct outgoing *o, size_t i)
{
	return o->about[i].reason;
}

static void forget_failure(struct outgoing *o)
{
	fail(o, 0, SIZE_MAX, NULL);
	o->n_done = 0;
}

/* What is said of it alone does not name it again. Takes message. */
static char *reason_of(char *message, const char *label)
{
	size_t n = strlen(label);

	if (message && !strncmp(message, label, n) && !strncmp(message + n, ": ", 2))
		memmove(message, message + n + 2, strlen(message + n + 2) + 1);
	return message;
}

/* Gives up what is optional and does not fit; what was given up before is looked at anew. */
static int choose(struct outgoing *o)
{
	size_t first = o->n_preserved, n = o->n_items - first;
	_cleanup_free_ bool *optional = calloc(n ? n : 1, sizeof(*optional));
	_cleanup_free_ char **reasons = calloc(n ? n : 1, sizeof(*reasons));
	int r;

	if (!optional || !reasons)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		optional[i] = !o->about[first + i].required;
		free(TAKE_PTR(o->about[first + i].reason));
		o->items[first + i].error = 0;
	}
	if (!o->transport->choose)
		return 0;
	r = o->transport->choose(o->items + first, n, optional, reasons);
	for (size_t i = 0; i < n; i++)
		if (o->items[first + i].error < 0)
			o->about[first + i].reason =
				reason_of(reasons[i], o->about[first + i].label)
					?: strdup(strerror(-o->items[first + i].error));
		else
			free(reasons[i]);
	return r;
}

int outgoing_check(struct outgoing *o)
{
	_cleanup_free_ struct transport_item *rest = NULL;
	char *message = NULL;
	size_t n = 0;
	int r;

	forget_failure(o);
	r = choose(o);
	if (r < 0)
		return fail(o, r, SIZE_MAX, NULL);
	rest = calloc(o->n_items, sizeof(*rest));
	if (!rest)
		return fail(o, -ENOMEM, SIZE_MAX, NULL);
	for (size_t i = o->n_preserved; i < o->n_items; i++)
		if (!is_given_up(o, i))
			rest[n++] = o->items[i];
	r = o->transport->check(rest, n, &message);
	return r < 0 ? fail(o, r, SIZE_MAX, message) : 0;
}

static uint64_t monotonic_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Only the time that preserving takes is at stake: no error, and no lack of time, matters. */
static void groom(struct outgoing *o)
{
	uint64_t deadline = monotonic_usec() + GROOM_USEC;

	for (size_t i = o->n_preserved; i < o->n_items; i++) {
		uint64_t offset = 0, now;

		if (is_given_up(o, i))
			continue;
		/* In slices, for an abort not to wait long. */
		do {
			now = monotonic_usec();
			if (o->cancel || now >= deadline)
				return;
		} while (o->transport->groom(o->items[i].fd, &offset, now + GROOM_SLICE_USEC) == 0);
	}
}

static int open_sessions(struct outgoing *o)
{
	size_t want = (size_t)o->items[o->n_items - 1].session + 1, first = o->n_sessions;
	char *message = NULL;
	int *sessions, r;

	if (want <= first)
		return 0;
	sessions = reallocarray(o->sessions, want, sizeof(*sessions));
	if (!sessions)
		return -ENOMEM;
	o->sessions = sessions;
	r = o->transport->open(o->update_id, first, want - first, sessions + first, &message);
	if (r < 0)
		return fail(o, r, SIZE_MAX, message);
	o->n_sessions = want;
	return 0;
}

struct preserve {
	struct outgoing *o;
	uint32_t first_session;
	pthread_mutex_t lock; /* of o's error */
};

static void preserve_failed(struct preserve *p, int error, size_t item, char *message)
{
	pthread_mutex_lock(&p->lock);
	if (!p->o->error)
		fail(p->o, error, item, message);
	else
		free(message);
	pthread_mutex_unlock(&p->lock);
	p->o->cancel = true;
}

static size_t count_up_to_given_up(const struct outgoing *o, size_t at, size_t end)
{
	size_t n = 0;

	while (at + n < end && !is_given_up(o, at + n))
		n++;
	return n;
}

static int preserve_session(size_t index, void *data)
{
	struct preserve *p = data;
	struct outgoing *o = p->o;
	uint32_t session = p->first_session + index;
	size_t at = o->n_preserved, begin, end;

	while (at < o->n_items && o->items[at].session < session)
		at++;
	begin = at;
	for (end = at; end < o->n_items && o->items[end].session == session; end++)
		;
	while (at < end) {
		size_t n = count_up_to_given_up(o, at, end), failed = SIZE_MAX;
		char *message = NULL;
		int r;

		if (n == 0) {
			at++;
			continue;
		}
		r = o->transport->preserve(o->sessions[session], session, o->items + at, n,
					   &o->cancel, &failed, &message);
		if (r >= 0) {
			at += n;
			continue;
		}
		if (r == -ECANCELED || failed >= n || o->about[at + failed].required) {
			preserve_failed(p, r, failed < n ? at + failed : SIZE_MAX, message);
			return r;
		}
		at += failed;
		o->about[at].reason = reason_of(message, o->about[at].label);
		at++;
	}
	o->n_done += end - begin;
	return 0;
}

int outgoing_preserve(struct outgoing *o)
{
	struct preserve p = {.o = o, .lock = PTHREAD_MUTEX_INITIALIZER};
	int r;

	forget_failure(o);
	if (o->n_preserved == o->n_items)
		return 0;
	groom(o);
	if (o->cancel)
		return fail(o, -ECANCELED, SIZE_MAX, NULL);
	r = open_sessions(o);
	if (r < 0)
		return r;
	p.first_session = o->items[o->n_preserved].session;
	parallel_for(o->items[o->n_items - 1].session - p.first_session + 1, preserve_session, &p);
	if (o->error < 0)
		return o->error;
	o->n_preserved = o->n_items;
	/* Where there are no sessions at all, none is missing. */
	if (o->signpost.session < 0 && o->sessions[0] >= 0)
		o->signpost_error = luo_signpost_put(o->update_id, &o->signpost);
	return 0;
}

/* What preserve has found; since then nobody can change it. */
static void note_size(struct transport_item *item, struct region *region)
{
	struct stat st;

	if (fstat(item->fd, &st) == 0)
		region->size = item->size = st.st_size;
}

static void note_item(struct outgoing *o, size_t i, struct region *region)
{
	if (o->about[i].reason) {
		region_set_reason(region, "left behind: %s", o->about[i].reason);
		return;
	}
	note_size(&o->items[i], region);
	region->transport = strdup(o->transport->name);
	region->session = o->items[i].session;
	region->token = o->items[i].token;
}

void outgoing_note(struct outgoing *o, struct registry *registry)
{
	for (; o->n_noted < o->n_preserved; o->n_noted++) {
		struct region *region = handover_find_id(registry->tree, o->about[o->n_noted].id);

		if (region && !region->transport)
			note_item(o, o->n_noted, region);
	}
}

void outgoing_give_up(struct outgoing *o, int error, const char *why)
{
	for (size_t i = o->n_preserved; i < o->n_items; i++) {
		o->items[i].error = error;
		if (!o->about[i].reason)
			o->about[i].reason = strdup(why);
	}
	o->n_preserved = o->n_items;
}

int outgoing_store(struct outgoing *o)
{
	char name[LUO_SESSION_NAME_MAX + 1];
	int r;

	for (; o->n_stored < o->n_sessions; o->n_stored++) {
		if (o->sessions[o->n_stored] < 0)
			continue;
		r = luo_session_name(name, o->update_id, o->n_stored);
		if (r >= 0)
			r = fdstore_push(name, o->sessions[o->n_stored]);
		if (r < 0)
			return r;
	}
	return o->signpost.session < 0 ? 0 : fdstore_push(LUO_SIGNPOST_NAME, o->signpost.session);
}

/* What no session of ours has been opened for is not held by us, whoever else may hold it. */
static size_t count_in_sessions(const struct outgoing *o)
{
	size_t n = o->n_items;

	while (n > 0 && o->items[n - 1].session >= o->n_sessions)
		n--;
	return n;
}

int outgoing_release(struct outgoing *o)
{
	char name[LUO_SESSION_NAME_MAX + 1], *message = NULL;
	size_t failed = SIZE_MAX;
	int r;

	forget_failure(o);
	for (size_t i = 0; i < o->n_stored; i++)
		if (luo_session_name(name, o->update_id, i) >= 0)
			fdstore_remove(name);
	fdstore_remove(LUO_SIGNPOST_NAME);
	/* PID 1 holds the sessions until it has come to these messages. */
	(void)fdstore_wait(STORE_USEC);
	r = o->transport->abort(o->sessions, o->n_sessions, o->items, count_in_sessions(o),
				RELEASE_USEC, &failed, &message);
	o->n_sessions = 0;
	luo_signpost_remove(&o->signpost);
	return r < 0 ? fail(o, r, failed, message) : 0;
}

int outgoing_resume(struct outgoing *o, const struct registry *registry, int *sessions,
		    size_t n_sessions, int signpost)
{
	size_t failed;
	int r;

	o->signpost.session = signpost;

	o->sessions = calloc(n_sessions ? n_sessions : 1, sizeof(*o->sessions));
	if (!o->sessions)
		return -ENOMEM;
	for (size_t i = 0; i < n_sessions; i++)
		o->sessions[i] = TAKE_FD(sessions[i]);
	o->n_sessions = o->n_stored = n_sessions;
	for (size_t i = 0; i < registry->tree->n_regions; i++) {
		const struct region *region = registry->tree->regions[i];

		if (!region->transport || carrier_find(region->transport))
			continue;
		if (region->session >= n_sessions || o->sessions[region->session] < 0)
			return -ESTALE;
		r = add_region(o, region, registry_fd(registry, region));
		if (r < 0)
			return r;
	}
	r = o->transport->stage(o->items, o->n_items, &failed, NULL);
	/* What comes late goes into a new session, whatever the last one has room for. */
	while (r >= 0 && o->n_items < n_sessions * LUO_FILES_PER_SESSION)
		r = add_item(o, &(struct outgoing_item){}, &(struct transport_item){.fd = -EBADF});
	o->n_preserved = o->n_noted = o->n_items;
	return r;
}
