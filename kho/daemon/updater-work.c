/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What blocks in the kernel, on worker threads; each ends with its event. */
#include <fcntl.h>
#include <string.h>

#include "kho/daemon/log.h"
#include "kho/daemon/peers.h"
#include "kho/daemon/record.h"
#include "kho/daemon/updater-private.h"
#include "kho/daemon/worker.h"
#include "kho/kernel/pages.h"
#include "kho/transport/kernel.h"
#include "kho/transport/luo.h"

static enum update_refusal refusal_of_error(int error)
{
	switch (error) {
	case -ENOMEM:
	case -EFBIG:
		return REFUSAL_MEMORY;
	case -ECANCELED:
		return REFUSAL_INTERRUPTED;
	default:
		return REFUSAL_KERNEL;
	}
}

/* Puts the end of a worker on u->outgoing into words, unless somebody has. */
static enum update_refusal note_failure(struct updater *u, int result)
{
	enum update_refusal refusal = refusal_of_error(result);
	struct outgoing *o = u->outgoing;

	if (result != -ECANCELED && !u->failure.message)
		failure_of_worker(u, refusal, result, o ? TAKE_PTR(o->message) : NULL,
				  o ? o->failed : SIZE_MAX);
	return u->failure.message ? u->failure.refusal : refusal;
}

static void worker_ended(struct updater *u, int result, enum update_event_kind good,
			 enum update_event_kind bad)
{
	if (result >= 0)
		updater_report(u, good, REFUSAL_NONE);
	else
		updater_report(u, bad, note_failure(u, result));
}

static int unfit(struct updater *u, const struct region *region, const char *advice)
{
	failure_clear(&u->failure);
	u->failure.refusal = REFUSAL_REGION;
	u->failure.owner = strdup(region->owner);
	u->failure.region = strdup(region->name);
	if (asprintf(&u->failure.message,
		     "region \"%s\" of %s has changed since it was registered: %s", region->name,
		     region->owner, advice) < 0)
		u->failure.message = NULL;
	return -EOPNOTSUPP;
}

/* Nothing stops the update any more: what can't be kept is left behind alone. */
static bool is_too_late(const struct updater *u)
{
	return u->m->update->state == UPDATE_COMMITTED && u->m->update->call != CALL_COMMIT;
}

/* Size and seals may have changed since registration: the kernel's word counts from here on. */
static int refresh_regions(struct updater *u)
{
	struct registry *registry = &u->m->registry;
	bool too_late = is_too_late(u);

	for (size_t i = 0; i < registry->tree->n_regions; i++) {
		struct region *region = registry->tree->regions[i];
		int fd = registry_fd(registry, region), r;
		struct memory_kind kind;
		const char *advice;

		if (fd < 0 || region->transport)
			continue;
		r = memory_identify(fd, &kind);
		if (r < 0)
			return r;
		advice = memory_type_advice(kind.type);
		if (advice && too_late)
			continue; /* the kernel says so, too, and only of this one */
		if (advice)
			return unfit(u, region, advice);
		/* Nor would the tree take such a size, and nothing else could be written any more.
		 */
		if (kind.size >= REGION_SIZE_MAX && (too_late || !region->required))
			continue; /* the transport leaves it behind */
		if (kind.size >= REGION_SIZE_MAX)
			return unfit(
				u, region,
				"it has grown to 1 TiB or more, and has to be smaller: split it "
				"into several memfds");
		region->size = kind.size;
	}
	return 0;
}

const struct transport *transport_for(const struct manager *m, const struct copies *copies)
{
	if (m->transport)
		return m->transport;
	if (m->kernel.generation == KHO_FINALIZE)
		return &transport_kernel;
	return copies->all ? &transport_copy : &transport_luo;
}

const struct transport *updater_transport(const struct updater *u)
{
	return transport_for(u->m, u->copies);
}

/* While participants prepare, nothing is preserved yet, and no thread looks at anything. */
bool updater_lets_go(const struct manager *m, const struct region *region)
{
	return m->update->state == UPDATE_IDLE || registry_fd(&m->registry, region) < 0 ||
	       (m->update->state == UPDATE_PREPARING && m->update->work == WORK_NONE);
}

void updater_forget(struct manager *m, const struct region *region)
{
	if (m->updater->outgoing)
		outgoing_forget(m->updater->outgoing, region->id);
	if (m->updater->copies)
		copies_forget(m->updater->copies, region->id);
}

static int collect(struct updater *u)
{
	struct registry *registry = &u->m->registry;
	int r = refresh_regions(u);

	if (r < 0)
		return r;
	if (!u->outgoing)
		u->outgoing = outgoing_new(updater_transport(u), registry->tree->update_id,
					   registry->tree_fd);
	if (!u->outgoing)
		return -ENOMEM;
	u->outgoing->cancel = false;
	u->outgoing->best_effort = is_too_late(u);
	r = copies_collect(u->copies, registry);
	return r < 0 ? r : outgoing_collect(u->outgoing, registry, u->copies);
}

/* What stays in place, and what does not. */
static int check_all(struct updater *u)
{
	int r = outgoing_check(u->outgoing);

	if (r < 0)
		return r;
	r = copies_check(u->copies);
	if (r < 0)
		u->outgoing->message = TAKE_PTR(u->copies->message);
	return r;
}

static int check_on_thread(void *data)
{
	return check_all(data);
}

static int preserve_on_thread(void *data)
{
	return outgoing_preserve(((struct updater *)data)->outgoing);
}

static int check_and_preserve_on_thread(void *data)
{
	struct updater *u = data;
	int r = check_all(u);

	return r < 0 ? r : outgoing_preserve(u->outgoing);
}

static int release_on_thread(void *data)
{
	struct updater *u = data;
	int r = copies_discard(u->copies);

	if (r < 0)
		log_error("The copies in %s can't be removed: %s", u->copies->where, strerror(-r));
	return outgoing_release(u->outgoing);
}

static void on_checked(int result, void *data)
{
	worker_ended(data, result, EVENT_CHECKED, EVENT_CHECK_FAILED);
}

static void warn_left_behind(struct updater *u, uint32_t id, const char *label, const char *reason)
{
	const struct region *region = handover_find_id(u->m->registry.tree, id);

	updater_warn_of(u, MESSAGE_LEFT_BEHIND,
			&(struct log_about){.tree = u->m->registry.tree,
					    .owner = region ? region->owner : NULL,
					    .region = region ? region->name : NULL},
			"%s is left behind: %s", label, reason);
}

/* What is copied before its owner has stopped may be in the middle of a change: it is for the
 * operator to know, once an owner.
 */
static void warn_of_copies(struct updater *u, size_t first)
{
	const struct handover *tree = u->m->registry.tree;
	const char *last = "";

	for (size_t i = first; i < u->copies->n_items; i++) {
		const struct copies_item *about = &u->copies->about[i];
		const struct region *region = handover_find_id(tree, u->copies->items[i].id);
		int seals = fcntl(u->copies->items[i].fd, F_GET_SEALS);

		if (about->reason)
			warn_left_behind(u, u->copies->items[i].id, u->copies->items[i].label,
					 about->reason);
		if (!region || about->reason || (seals >= 0 && seals & F_SEAL_WRITE) ||
		    owner_watches(u->m, region->owner) || !strcmp(region->owner, last))
			continue;
		last = region->owner;
		updater_warn(u,
			     "%s takes no part in updates: what it writes from the freeze on is "
			     "lost, since its memory is copied then (kho run of kho(8) would stop "
			     "it)",
			     region->owner);
	}
}

/* Writes down what travels how, and warns of what does not. */
static int note_preserved(struct updater *u)
{
	struct outgoing *o = u->outgoing;
	size_t first = o->n_noted, first_copy = u->copies->n_noted;
	int r;

	outgoing_note(o, &u->m->registry);
	for (size_t i = first; i < o->n_noted; i++)
		if (o->about[i].reason)
			warn_left_behind(u, o->about[i].id, o->about[i].label, o->about[i].reason);
	if (o->signpost_error < 0)
		updater_warn(
			u,
			"no session tells the next kernel of this update: only the ledger does (%s)",
			strerror(-o->signpost_error));
	r = copies_note(u->copies, &u->m->registry);
	if (r < 0)
		return r;
	warn_of_copies(u, first_copy);
	return registry_save(&u->m->registry);
}

static void on_preserved(int result, void *data)
{
	struct updater *u = data;

	if (result >= 0)
		result = note_preserved(u);
	worker_ended(u, result, EVENT_PRESERVED, EVENT_PRESERVE_FAILED);
}

static bool is_not_kept(const struct updater *u, const struct region *region)
{
	return !region->transport && registry_fd(&u->m->registry, region) >= 0;
}

static bool misses_required(const struct updater *u)
{
	const struct handover *tree = u->m->registry.tree;

	for (size_t i = 0; i < tree->n_regions; i++)
		if (tree->regions[i]->required && is_not_kept(u, tree->regions[i]))
			return true;
	return false;
}

/* Regions that do not stop the update any more: what was wrong becomes their reason. */
static int leave_late_behind(struct updater *u, int error)
{
	const char *why = u->failure.message ? u->failure.message : strerror(-error);

	if (!u->outgoing)
		return error;
	outgoing_give_up(u->outgoing, error, why);
	copies_give_up(u->copies, &u->m->registry, why);
	failure_clear(&u->failure);
	return note_preserved(u);
}

static void on_late_preserved(int result, void *data)
{
	struct updater *u = data;
	enum update_refusal refusal;
	bool required = false;

	if (result >= 0) {
		result = note_preserved(u);
		required = result < 0;
	}
	if (result >= 0) {
		updater_report(u, EVENT_LATE_PRESERVED, REFUSAL_NONE);
		return;
	}
	refusal = note_failure(u, result);
	required = required || misses_required(u);
	if ((!required || is_too_late(u)) && u->m->update->state != UPDATE_ABORTING)
		required |= leave_late_behind(u, result) < 0;
	if (!required)
		failure_clear(&u->failure);
	(void)updater_feed(u->m, &(struct update_event){.kind = EVENT_LATE_FAILED,
							.required = required,
							.refusal = refusal});
}

static void start_work(struct updater *u, work_fn fn, work_done_fn done)
{
	int r = work_start(u->m->event, fn, done, u);

	if (r < 0)
		done(r, u);
}

static void start_collected(struct updater *u, work_fn fn, work_done_fn done)
{
	int r = collect(u);

	if (r < 0)
		done(r, u);
	else
		start_work(u, fn, done);
}

void updater_check(struct updater *u)
{
	char *message = NULL;
	int r = updater_transport(u)->probe(&u->m->kernel, &message);

	if (r >= 0) {
		start_collected(u, check_on_thread, on_checked);
		return;
	}
	failure_of_worker(u, REFUSAL_KERNEL, r, message, SIZE_MAX);
	updater_report(u, EVENT_CHECK_FAILED, REFUSAL_KERNEL);
}

void updater_preserve(struct updater *u)
{
	start_collected(u, preserve_on_thread, on_preserved);
}

void updater_preserve_late(struct updater *u)
{
	start_collected(u, check_and_preserve_on_thread, on_late_preserved);
}

static void on_recorded(struct manager *m, int result, char *message, size_t n_digested)
{
	struct updater *u = m->updater;

	if (result >= 0) {
		u->n_digested = n_digested;
		updater_report(u, EVENT_RECORDED, REFUSAL_NONE);
		return;
	}
	if (result != -ECANCELED)
		failure_of_worker(u, REFUSAL_RECORD, result, message, SIZE_MAX);
	updater_report(u, EVENT_RECORD_FAILED, REFUSAL_RECORD);
}

void updater_record(struct updater *u)
{
	int r = -ENOMEM;

	/* What failed earlier, and was left behind, has nothing to do with it. */
	if (u->outgoing)
		u->outgoing->cancel = false;
	if (u->outgoing)
		r = record_start(u->m, u->copies, &u->outgoing->cancel, on_recorded);
	if (r < 0)
		on_recorded(u->m, r, NULL, 0);
}

static void on_released(int result, void *data)
{
	struct updater *u = data;
	const struct handover *tree = u->m->registry.tree;

	if (result < 0)
		log_error("The kernel has not let go of all memory: %s",
			  u->outgoing && u->outgoing->message ? u->outgoing->message
							      : strerror(-result));
	else
		log_message(LOG_NOTICE, MESSAGE_UPDATE_UNDONE, &(struct log_about){.tree = tree},
			    "Update %s is undone, the kernel has let go of all memory: every "
			    "service goes on",
			    tree->update_id);
	updater_report(u, EVENT_RELEASED, REFUSAL_NONE);
}

void updater_release(struct updater *u)
{
	if (u->outgoing)
		start_work(u, release_on_thread, on_released);
	else
		on_released(0, u);
}

void updater_cancel_work(struct updater *u)
{
	if (u->outgoing)
		u->outgoing->cancel = true;
}
