/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "kho/core/paths.h"
#include "kho/daemon/barrier.h"
#include "kho/daemon/clock.h"
#include "kho/daemon/execution.h"
#include "kho/daemon/fdstore.h"
#include "kho/daemon/ledger.h"
#include "kho/daemon/log.h"
#include "kho/daemon/monitor.h"
#include "kho/daemon/peers.h"
#include "kho/daemon/shutdown.h"
#include "kho/daemon/updater-private.h"

#define STAGE_TIMEOUT_USEC (120 * USEC_PER_SEC)
#define FROZEN_TIMEOUT_USEC (30 * USEC_PER_SEC)

int updater_new(struct manager *m, struct updater **ret)
{
	struct updater *u = calloc(1, sizeof(*u));

	if (!u)
		return -ENOMEM;
	u->m = m;
	u->execution_pidfd = -EBADF;
	*ret = u;
	return 0;
}

static void clear_warnings(struct updater *u)
{
	for (char **line = u->warnings; line && *line; line++)
		free(*line);
	free(u->warnings);
	u->warnings = NULL;
}

struct updater *updater_free(struct updater *u)
{
	if (!u)
		return NULL;
	failure_clear(&u->failure);
	free(u->refused_because);
	clear_warnings(u);
	outgoing_free(u->outgoing);
	copies_free(u->copies);
	safe_close(u->execution_pidfd);
	sd_event_source_disable_unref(u->deadline);
	sd_event_source_disable_unref(u->ticker);
	sd_varlink_unref(u->operator);
	for (size_t i = 0; i < u->n_aborts; i++)
		sd_varlink_unref(u->aborts[i]);
	free(u->aborts);
	free(u);
	return NULL;
}

void updater_report(struct updater *u, enum update_event_kind kind, enum update_refusal refusal)
{
	int r = updater_feed(u->m, &(struct update_event){.kind = kind, .refusal = refusal});

	if (r < 0)
		log_error("The update can't go on with event %d: %s", kind, strerror(-r));
}

static void save(struct updater *u)
{
	int r = registry_save(&u->m->registry);

	if (r < 0)
		log_error("The handover tree can't be written: %s", strerror(-r));
}

/* After an abort: nothing in the tree, or on disk, speaks of the update any more. */
static void forget_update(struct updater *u)
{
	struct handover *tree = u->m->registry.tree;

	for (size_t i = 0; i < tree->n_regions; i++) {
		struct region *region = tree->regions[i];

		free(TAKE_PTR(region->transport));
		region->session = 0;
		region->token = 0;
		region->has_digest = false;
		if (region->check != REGION_LOST && region->check != REGION_DAMAGED)
			free(TAKE_PTR(region->reason));
	}
	free(TAKE_PTR(tree->update_id));
	free(TAKE_PTR(tree->image));
	free(TAKE_PTR(tree->next_release));
	tree->forced = false;
	handover_clear_problems(tree);
	memset(tree->moments, 0, sizeof(tree->moments));
	free(TAKE_PTR(tree->transport));
	free(TAKE_PTR(tree->spool));
	tree->copy_size = tree->copy_usec = tree->copy_usec_estimated = 0;
	u->outgoing = outgoing_free(u->outgoing);
	u->copies = copies_free(u->copies);
	execution_forget(u);
	clear_warnings(u);
	if (ledger_remove(KHO_LEDGER_FILE) < 0)
		log_error("%s/%s can't be removed: after a power failure it will tell of an update "
			  "that did not happen",
			  state_dir(), KHO_LEDGER_FILE);
	save(u);
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct updater *u = userdata;

	if (execution_prevent(u->m, NULL) < 0)
		updater_extend_frozen(u);
	else
		updater_report(u, EVENT_DEADLINE, REFUSAL_TIMEOUT);
	return 0;
}

static void disarm(struct updater *u)
{
	u->deadline = sd_event_source_disable_unref(u->deadline);
}

/* Until whoever executes the update has loaded the copies: the estimate, and as much again. */
static uint64_t loading_usec(const struct updater *u)
{
	const struct copies *c = u->copies;

	return c && c->n_items > 0 && c->carrier && c->carrier->take ? 2 * c->usec_estimated : 0;
}

static void arm(struct updater *u, enum update_deadline deadline)
{
	uint64_t usec = deadline == DEADLINE_STAGE    ? STAGE_TIMEOUT_USEC
			: deadline == DEADLINE_FROZEN ? FROZEN_TIMEOUT_USEC + loading_usec(u)
						      : timeout_cap(u->timeout_usec);
	int r;

	disarm(u);
	if (deadline == DEADLINE_PREPARE || deadline == DEADLINE_FREEZE)
		barrier_begin(u, usec);
	r = sd_event_add_time_relative(u->m->event, &u->deadline, CLOCK_BOOTTIME, usec, 0,
				       on_deadline, u);
	if (r < 0)
		log_error("No timer for the update: %s", strerror(-r));
}

void updater_extend_frozen(struct updater *u)
{
	if (u->m->update->deadline == DEADLINE_FROZEN)
		arm(u, DEADLINE_FROZEN);
}

/* Before what follows from it. */
static void note_answer(struct updater *u, const struct update_event *event)
{
	const struct peer *peer = peer_of_participant(u->m, event->participant);
	bool accepts = event->kind == EVENT_ACCEPT;

	if (!peer || (!accepts && event->kind != EVENT_REFUSE))
		return;
	monitor_event(u->m, &(struct monitor_event){
				    .event = accepts ? "accepted" : "refused",
				    .owner = peer->owner,
				    .phase = event->phase == PHASE_PREPARE ? "prepare" : "freeze",
				    .reason = accepts ? NULL : u->refused_because});
}

static void leave_behind(struct updater *u, const struct update_action *a)
{
	_cleanup_free_ char *why = failure_words(u, &a->cause);
	uint32_t participant = a->cause.participant;
	const struct peer *peer = participant ? peer_of_participant(u->m, participant) : NULL;

	updater_warn_of(u, MESSAGE_LEFT_BEHIND,
			&(struct log_about){.tree = u->m->registry.tree,
					    .owner = peer ? peer->owner : NULL},
			"%s; the update leaves it behind", why ? why : "a participant fails");
}

static void carry_out(struct updater *u, const struct update_action *a)
{
	switch (a->kind) {
	case ACTION_CHECK:
		return updater_check(u);
	case ACTION_PRESERVE:
		return updater_preserve(u);
	case ACTION_PRESERVE_LATE:
		return updater_preserve_late(u);
	case ACTION_RECORD:
		return updater_record(u);
	case ACTION_RELEASE:
		return updater_release(u);
	case ACTION_CANCEL_WORK:
		return updater_cancel_work(u);
	case ACTION_TELL_PREPARE:
		return barrier_tell(u, a->participant, "prepare");
	case ACTION_TELL_FREEZE:
		return barrier_tell(u, a->participant, "freeze");
	case ACTION_TELL_RESUME:
		return barrier_tell(u, a->participant, "resume");
	case ACTION_LEAVE_BEHIND:
		return leave_behind(u, a);
	case ACTION_TELL_COMMITTED:
		return barrier_tell(u, a->participant, "committed");
	case ACTION_ARM_DEADLINE:
		return arm(u, a->deadline);
	case ACTION_DISARM_DEADLINE:
		return disarm(u);
	case ACTION_STAGE:
		/* khod itself holds the sessions too: without the store they live as long as it
		 * does. */
		if (!u->outgoing || outgoing_store(u->outgoing) < 0)
			updater_warn(u,
				     "the fd store does not take the sessions; khod must not end "
				     "before the kexec");
		return;
	case ACTION_LOG_ABORT:
		return failure_log_abort(u, &a->cause);
	case ACTION_LOG_LOSS:
		return failure_log_loss(u, &a->cause);
	case ACTION_REPLY_PREPARED:
		return operator_reply_prepared(u);
	case ACTION_REPLY_STAGED:
		return operator_reply_staged(u);
	case ACTION_REPLY_FROZEN:
		return operator_reply_frozen(u);
	case ACTION_REPLY_COMMITTED:
		return operator_reply_committed(u);
	case ACTION_REPLY_REFUSED:
		return operator_reply_refused(u);
	case ACTION_REPLY_ABORTED:
		return operator_reply_aborted(u);
	case _ACTION_MAX:
		return;
	}
}

static int moment_of_state(enum update_state state)
{
	switch (state) {
	case UPDATE_PREPARING:
		return MOMENT_PREPARE;
	case UPDATE_PREPARED:
		return MOMENT_PREPARED;
	case UPDATE_STAGED:
		return MOMENT_STAGED;
	case UPDATE_FREEZING:
		return MOMENT_FREEZE;
	case UPDATE_COMMITTED:
		return MOMENT_COMMIT;
	default:
		return -1;
	}
}

static void note_state_change(struct updater *u)
{
	struct handover *tree = u->m->registry.tree;
	enum update_state state = u->m->update->state;
	int moment = moment_of_state(state);

	if (tree->state == state)
		return;
	tree->state = state;
	if (state == UPDATE_FREEZING)
		log_message(LOG_NOTICE, MESSAGE_UPDATE_FREEZES, &(struct log_about){.tree = tree},
			    "Update %s freezes: participants are told to stop writing",
			    tree->update_id);
	monitor_event(u->m, &(struct monitor_event){.event = "state"});
	if (moment >= 0)
		tree->moments[moment] = realtime_usec();
	/* Nobody tells when kexec(8) calls reboot; it does so as soon as it hears of this. */
	if (state == UPDATE_FROZEN && !tree->moments[MOMENT_COMMIT])
		tree->moments[MOMENT_COMMIT] = realtime_usec();
	save(u);
}

int updater_feed(struct manager *m, const struct update_event *event)
{
	struct updater *u = m->updater;
	struct update_action action;
	int r = update_feed(m->update, event);

	if (r < 0)
		return r;
	note_answer(u, event);
	note_state_change(u);
	if (u->draining)
		return 0;
	u->draining = true;
	while (update_next(m->update, &action))
		carry_out(u, &action);
	u->draining = false;
	/* Not earlier: the replies speak of it. */
	if (m->update->state == UPDATE_IDLE && m->registry.tree->update_id)
		forget_update(u);
	shutdown_goes_on(m);
	return 0;
}
