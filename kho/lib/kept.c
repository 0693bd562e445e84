/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "kho/lib/call.h"
#include "kho/lib/error.h"
#include "kho/lib/kept.h"
#include "kho/lib/region.h"
#include "kho/lib/watch.h"

static struct kept *kept_find(struct kho *k, const char *name)
{
	for (size_t i = 0; i < k->n_kept; i++)
		if (strcmp(k->kept[i].name, name) == 0)
			return &k->kept[i];
	return NULL;
}

static void kept_done(struct kept *kept)
{
	free(kept->name);
	free(kept->memdesc);
	close_fd(&kept->fd);
}

int kept_add(struct kho *k, const char *name, int fd, const char *memdesc, bool required)
{
	_cleanup_(kept_done) struct kept kept = {.required = required, .fd = -EBADF};
	struct kept *array;

	kept.name = strdup(name);
	kept.memdesc = memdesc ? strdup(memdesc) : NULL;
	if (!kept.name || (memdesc && !kept.memdesc))
		return fail(k, -ENOMEM, "%s", kho_strerror(ENOMEM));
	kept.fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (kept.fd < 0)
		return fail(k, -errno, "can't duplicate the fd of region %s: %s", name,
			    kho_strerror(errno));

	array = reallocarray(k->kept, k->n_kept + 1, sizeof(*array));
	if (!array)
		return fail(k, -ENOMEM, "%s", kho_strerror(ENOMEM));
	k->kept = array;
	kept_remove(k, name);
	k->kept[k->n_kept++] = kept;
	kept = (struct kept){.fd = -EBADF};
	return 0;
}

void kept_remove(struct kho *k, const char *name)
{
	struct kept *kept = kept_find(k, name);

	if (!kept)
		return;
	kept_done(kept);
	*kept = k->kept[--k->n_kept];
}

void kept_clear(struct kho *k)
{
	while (k->n_kept > 0)
		kept_done(&k->kept[--k->n_kept]);
	free(k->kept);
	k->kept = NULL;
}

bool same_memory(int a, int b)
{
	struct stat sa, sb;

	return fstat(a, &sa) == 0 && fstat(b, &sb) == 0 && sa.st_dev == sb.st_dev &&
	       sa.st_ino == sb.st_ino;
}

/* Tells the service, and goes on without if there is no memory for that. */
static void tell(struct kho *k, enum kho_event_type type, const char *name, const char *reason)
{
	if (k->watch.wanted)
		watch_tell(k, &(struct kho_event){.type = type,
						  .timeout_usec = UINT64_MAX,
						  .region = name,
						  .reason = reason});
}

/* khod has the region, but not as ours: claims it, and sees whether it is the same memory. */
static int claim_again(struct kho *k, const struct kept *kept)
{
	_cleanup_(answer_done) struct answer answer = ANSWER_NONE;
	int r = claim_once(k, kept->name, true, &answer);

	if (r < 0)
		return r;
	if (!same_memory(kept->fd, answer.fd))
		return fail(k, -EEXIST, "khod keeps other memory under the name %s", kept->name);
	return 0;
}

static int register_again(struct kho *k, const struct kept *kept, bool lost)
{
	int r = 0;

	/* khod may have lost it; this process has not. */
	if (lost)
		r = unregister_once(k, kept->name);
	if (r >= 0)
		r = register_once(k, kept->name, kept->fd, kept->memdesc, kept->required);
	if (r >= 0)
		tell(k, KHO_EVENT_REGISTERED_AGAIN, kept->name,
		     "khod came back without it, and has it again");
	return r;
}

static int recheck_one(struct kho *k, const struct kept *kept, sd_json_variant *regions)
{
	for (size_t i = 0; i < sd_json_variant_elements(regions); i++) {
		struct kho_region region;

		if (region_decode(sd_json_variant_by_index(regions, i), &region) < 0 ||
		    strcmp(region.name, kept->name) != 0)
			continue;
		if (region.check == KHO_CHECK_LOST)
			return register_again(k, kept, true);
		return region.claimed ? 0 : claim_again(k, kept);
	}
	return register_again(k, kept, false);
}

int kept_recheck(struct kho *k)
{
	_cleanup_(answer_done) struct answer answer = ANSWER_NONE;
	sd_json_variant *regions;
	bool again = false;
	int r;

	r = call_now(k, &(struct call){.method = "io.kho.Handover.List"}, &answer);
	if (r < 0)
		return r;
	regions = sd_json_variant_by_key(answer.parameters, "regions");

	for (size_t i = k->n_kept; i-- > 0;) {
		r = recheck_one(k, &k->kept[i], regions);
		if (is_disconnect(r) || r == -ETIME)
			return r;
		if (r == -EBUSY)
			again = true;
		else if (r < 0) {
			tell(k, KHO_EVENT_NOT_KEPT, k->kept[i].name, k->message);
			kept_remove(k, k->kept[i].name);
		}
	}
	k->recheck = again;
	return 0;
}
