/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <string.h>

#include "kho/core/update-private.h"

/* One event brings at most two actions for each participant, and fewer than this besides. */
#define ACTIONS_BESIDE 8

int update_make_room(struct update *u, size_t n_participants)
{
	size_t need = u->n_actions + 2 * n_participants + ACTIONS_BESIDE;
	struct update_action *actions;

	if (u->first_action > 0) {
		memmove(u->actions, u->actions + u->first_action,
			u->n_actions * sizeof(*u->actions));
		u->first_action = 0;
	}
	if (need <= u->n_actions_allocated)
		return 0;
	need += need / 2;
	actions = reallocarray(u->actions, need, sizeof(*actions));
	if (!actions)
		return -ENOMEM;
	u->actions = actions;
	u->n_actions_allocated = need;
	return 0;
}

void update_emit(struct update *u, struct update_action action)
{
	size_t at = u->first_action + u->n_actions;

	assert(at < u->n_actions_allocated);
	u->actions[at] = action;
	u->n_actions++;
}

struct update_cause update_cause_of(const struct update_event *event, enum update_refusal refusal,
				    uint32_t participant)
{
	return (struct update_cause){
		.refusal = refusal, .event = event->kind, .participant = participant};
}

void update_arm(struct update *u, enum update_deadline deadline)
{
	assert(u->deadline == DEADLINE_NONE);
	u->deadline = deadline;
	EMIT(u, ACTION_ARM_DEADLINE, .deadline = deadline);
}

void update_disarm(struct update *u)
{
	if (u->deadline == DEADLINE_NONE)
		return;
	u->deadline = DEADLINE_NONE;
	EMIT(u, ACTION_DISARM_DEADLINE);
}

static void start(struct update *u, enum update_work work)
{
	static const enum update_action_kind actions[_WORK_MAX] = {
		[WORK_CHECK] = ACTION_CHECK,
		[WORK_PRESERVE] = ACTION_PRESERVE,
		[WORK_PRESERVE_LATE] = ACTION_PRESERVE_LATE,
		[WORK_RECORD] = ACTION_RECORD,
		[WORK_RELEASE] = ACTION_RELEASE,
	};

	assert(u->work == WORK_NONE);
	u->work = work;
	u->regions_late = false;
	EMIT(u, actions[work]);
}

static void attach(struct update *u, enum update_call call)
{
	u->operator_attached = true;
	u->call = call;
}

void update_abort(struct update *u, struct update_cause cause)
{
	u->state = UPDATE_ABORTING;
	u->cause = cause;
	u->asking = u->asked = u->regions_late = u->sealed = u->unrecorded = false;
	EMIT(u, ACTION_LOG_ABORT, .cause = cause);
	update_disarm(u);
	/* What a worker is about to preserve could not be released yet. */
	if (u->work != WORK_NONE)
		EMIT(u, ACTION_CANCEL_WORK);
	else
		start(u, WORK_RELEASE);
}

void update_go_on(struct update *u)
{
	if (u->work != WORK_NONE || u->asking || u->sealed)
		return;
	if (u->state == UPDATE_PREPARING && u->asked) {
		/* Again, as participants may have added regions. */
		start(u, WORK_CHECK);
	} else if (u->asked || u->unrecorded) {
		u->sealed = u->asked;
		u->unrecorded = false;
		start(u, WORK_RECORD);
	}
}

static void become_prepared(struct update *u)
{
	u->state = UPDATE_PREPARED;
	u->asked = false;
	u->call = CALL_NONE;
	update_arm(u, DEADLINE_STAGE);
	EMIT(u, ACTION_REPLY_PREPARED);
}

static int on_region(struct update *u, const struct update_event *event)
{
	if (u->sealed)
		return -EBUSY;
	switch (u->state) {
	case UPDATE_IDLE:
	case UPDATE_RESTORING:
	case UPDATE_ABORTING:
		return 0;
	default:
		break;
	}
	if (u->work != WORK_NONE)
		u->regions_late = true;
	else if (u->state != UPDATE_PREPARING)
		start(u, WORK_PRESERVE_LATE);
	return 0;
}

static int on_prepare(struct update *u, const struct update_event *event)
{
	u->state = UPDATE_PREPARING;
	attach(u, CALL_PREPARE);
	start(u, WORK_CHECK);
	return 0;
}

static int on_staged(struct update *u, const struct update_event *event)
{
	u->state = UPDATE_STAGED;
	u->operator_attached = false;
	update_disarm(u);
	EMIT(u, ACTION_STAGE);
	EMIT(u, ACTION_REPLY_STAGED);
	return 0;
}

static int on_not_staged(struct update *u, const struct update_event *event)
{
	attach(u, CALL_STAGED);
	update_abort(u, update_cause_of(event, REFUSAL_KERNEL, 0));
	return 0;
}

static void reply_recorded(struct update *u, enum update_action_kind reply)
{
	EMIT(u, reply);
	u->call = CALL_NONE;
	u->operator_attached = false;
}

/* Services run on until they are stopped, or until the very end. */
static void commit(struct update *u)
{
	u->state = UPDATE_COMMITTED;
	u->unrecorded = true;
	participants_tell_committed(u);
}

static int on_commit(struct update *u, const struct update_event *event)
{
	attach(u, CALL_COMMIT);
	commit(u);
	update_go_on(u);
	return 0;
}

static int on_shutdown(struct update *u, const struct update_event *event)
{
	bool staged = u->state == UPDATE_STAGED;

	commit(u);
	if (staged)
		update_go_on(u);
	else
		start(u, WORK_PRESERVE_LATE);
	return 0;
}

static int on_freeze(struct update *u, const struct update_event *event)
{
	if (u->call != CALL_NONE)
		return -EBUSY;
	attach(u, CALL_FREEZE);
	if (u->state == UPDATE_STAGED)
		u->state = UPDATE_FREEZING;
	/* A second time, as who called first may have died. */
	if (u->asking || u->asked) {
		if (u->sealed && u->work == WORK_NONE)
			reply_recorded(u, ACTION_REPLY_FROZEN);
		return 0;
	}
	participants_ask(u);
	return 0;
}

static int on_kexec_failed(struct update *u, const struct update_event *event)
{
	update_abort(u, update_cause_of(event, event->refusal ?: REFUSAL_KERNEL, 0));
	return 0;
}

static int on_abort(struct update *u, const struct update_event *event)
{
	if (u->state == UPDATE_COMMITTED && u->call != CALL_COMMIT && !event->required)
		return -EBUSY;
	u->abort_waits = true;
	if (u->state != UPDATE_ABORTING)
		update_abort(u, update_cause_of(event, event->refusal ?: REFUSAL_INTERRUPTED, 0));
	return 0;
}

static int on_operator_gone(struct update *u, const struct update_event *event)
{
	bool committing;

	if (!u->operator_attached)
		return -ENOENT;
	u->operator_attached = false;
	committing = u->call == CALL_COMMIT;
	u->call = CALL_NONE;
	/* Who has no reply yet has begun no shutdown. */
	if ((committing || u->state != UPDATE_COMMITTED) && u->state != UPDATE_ABORTING)
		update_abort(u, update_cause_of(event, REFUSAL_INTERRUPTED, 0));
	return 0;
}

static int on_deadline(struct update *u, const struct update_event *event)
{
	enum update_deadline deadline = u->deadline;

	if (deadline == DEADLINE_NONE)
		return -ENOENT;
	u->deadline = DEADLINE_NONE;
	if (deadline == DEADLINE_STAGE || deadline == DEADLINE_FROZEN)
		update_abort(u, update_cause_of(event, REFUSAL_TIMEOUT, 0));
	else
		participants_time_out(u, event);
	return 0;
}

static int on_checked(struct update *u, const struct update_event *event)
{
	if (!u->asked)
		participants_ask(u);
	else
		start(u, u->regions_late ? WORK_CHECK : WORK_PRESERVE);
	return 0;
}

static int on_preserved(struct update *u, const struct update_event *event)
{
	if (u->state != UPDATE_PREPARING && u->state != UPDATE_PREPARED)
		EMIT(u, ACTION_STAGE);
	u->unrecorded = u->state == UPDATE_COMMITTED;
	if (u->regions_late)
		start(u, WORK_PRESERVE_LATE);
	else if (u->state == UPDATE_PREPARING)
		become_prepared(u);
	else
		update_go_on(u);
	return 0;
}

static int on_recorded(struct update *u, const struct update_event *event)
{
	if (u->state == UPDATE_FREEZING) {
		u->state = UPDATE_FROZEN;
		update_arm(u, DEADLINE_FROZEN);
		EMIT(u, ACTION_REPLY_FROZEN);
		u->call = CALL_NONE;
		return 0;
	}
	if (u->call == CALL_COMMIT)
		reply_recorded(u, ACTION_REPLY_COMMITTED);
	else if (u->call == CALL_FREEZE && u->sealed)
		reply_recorded(u, ACTION_REPLY_FROZEN);
	if (u->regions_late)
		start(u, WORK_PRESERVE_LATE);
	else
		update_go_on(u);
	return 0;
}

static int on_failed(struct update *u, const struct update_event *event)
{
	bool record = event->kind == EVENT_RECORD_FAILED;
	bool optional = event->kind == EVENT_LATE_FAILED && !event->required;
	enum update_refusal otherwise = record ? REFUSAL_RECORD : REFUSAL_INTERNAL;
	struct update_cause cause = update_cause_of(event, event->refusal ?: otherwise, 0);

	if (!optional && (u->state != UPDATE_COMMITTED || u->call == CALL_COMMIT)) {
		update_abort(u, cause);
		return 0;
	}
	if (!optional)
		EMIT(u, ACTION_LOG_LOSS, .cause = cause);
	return record ? on_recorded(u, event) : on_preserved(u, event);
}

static int on_released(struct update *u, const struct update_event *event)
{
	for (size_t i = 0; i < u->n_participants; i++) {
		struct update_participant *p = &u->participants[i];

		if (p->told)
			EMIT(u, ACTION_TELL_RESUME, .participant = p->id, .cause = u->cause);
		p->told = p->extended = false;
		p->waits_for = 0;
		p->answer = ANSWER_WATCHING;
	}
	if (u->call != CALL_NONE)
		EMIT(u, ACTION_REPLY_REFUSED, .call = u->call, .cause = u->cause);
	if (u->abort_waits)
		EMIT(u, ACTION_REPLY_ABORTED);
	u->state = UPDATE_IDLE;
	u->call = CALL_NONE;
	u->operator_attached = u->abort_waits = false;
	u->cause = (struct update_cause){0};
	return 0;
}

/* RESTORE, RESTORED */
static int on_restore(struct update *u, const struct update_event *event)
{
	u->state = event->kind == EVENT_RESTORE ? UPDATE_RESTORING : UPDATE_IDLE;
	return 0;
}

static int on_recover(struct update *u, const struct update_event *event)
{
	if ((unsigned int)event->state >= _UPDATE_STATE_MAX)
		return -EINVAL;
	switch (event->state) {
	case UPDATE_IDLE:
	case UPDATE_STAGED:
	case UPDATE_RESTORING:
		u->state = event->state;
		break;
	case UPDATE_COMMITTED:
		/* The ledger may not have got to the disk. */
		commit(u);
		update_go_on(u);
		break;
	default:
		/* The operator's connection and the worker died with the daemon. */
		update_abort(u, update_cause_of(event, REFUSAL_INTERRUPTED, 0));
	}
	return 0;
}

#define IN(state) (1U << UPDATE_##state)
#define UNCOMMITTED                                                                                \
	(IN(PREPARING) | IN(PREPARED) | IN(STAGED) | IN(FREEZING) | IN(FROZEN) | IN(ABORTING))

static const struct {
	int (*handle)(struct update *u, const struct update_event *event);
	unsigned int in;       /* the states it is for; 0: any */
	enum update_work work; /* whose end it is */
} events[_EVENT_MAX] = {
	[EVENT_JOIN] = {participant_joins},
	[EVENT_LEAVE] = {participant_leaves},
	[EVENT_ACCEPT] = {participant_answers},
	[EVENT_REFUSE] = {participant_answers},
	[EVENT_EXTEND] = {participant_extends},
	[EVENT_REGION] = {on_region},
	[EVENT_PREPARE] = {on_prepare, IN(IDLE)},
	[EVENT_STAGED] = {on_staged, IN(PREPARED)},
	[EVENT_NOT_STAGED] = {on_not_staged, IN(PREPARED)},
	[EVENT_FREEZE] = {on_freeze, IN(STAGED) | IN(COMMITTED)},
	[EVENT_COMMIT] = {on_commit, IN(STAGED)},
	[EVENT_SHUTDOWN] = {on_shutdown, IN(IDLE) | IN(STAGED)},
	[EVENT_KEXEC_FAILED] = {on_kexec_failed, IN(FROZEN) | IN(COMMITTED)},
	[EVENT_ABORT] = {on_abort, UNCOMMITTED | IN(COMMITTED)},
	[EVENT_OPERATOR_GONE] = {on_operator_gone},
	[EVENT_DEADLINE] = {on_deadline},
	[EVENT_OVERDUE] = {participant_is_overdue},
	[EVENT_CHECKED] = {on_checked, 0, WORK_CHECK},
	[EVENT_CHECK_FAILED] = {on_failed, 0, WORK_CHECK},
	[EVENT_PRESERVED] = {on_preserved, 0, WORK_PRESERVE},
	[EVENT_PRESERVE_FAILED] = {on_failed, 0, WORK_PRESERVE},
	[EVENT_LATE_PRESERVED] = {on_preserved, 0, WORK_PRESERVE_LATE},
	[EVENT_LATE_FAILED] = {on_failed, 0, WORK_PRESERVE_LATE},
	[EVENT_RECORDED] = {on_recorded, 0, WORK_RECORD},
	[EVENT_RECORD_FAILED] = {on_failed, 0, WORK_RECORD},
	[EVENT_RELEASED] = {on_released, 0, WORK_RELEASE},
	[EVENT_RESTORE] = {on_restore, IN(IDLE)},
	[EVENT_RESTORED] = {on_restore, IN(RESTORING)},
	[EVENT_RECOVER] = {on_recover, IN(IDLE)},
};

/* No update to be about, or one in another state. */
static int not_now(const struct update *u, unsigned int in)
{
	bool no_update = u->state == UPDATE_IDLE || u->state == UPDATE_RESTORING;

	return no_update && !(in & IN(IDLE)) ? -ENOENT : -EBUSY;
}

int update_feed(struct update *u, const struct update_event *event)
{
	enum update_work work;
	unsigned int in;
	int r;

	if ((unsigned int)event->kind >= _EVENT_MAX || (unsigned int)event->refusal >= _REFUSAL_MAX)
		return -EINVAL;
	in = events[event->kind].in;
	if (in != 0 && !(in & 1U << u->state))
		return not_now(u, in);
	work = events[event->kind].work;
	if (work != WORK_NONE && work != u->work)
		return -ENOENT;
	r = update_make_room(u, u->n_participants);
	if (r < 0)
		return r;
	if (work != WORK_NONE)
		u->work = WORK_NONE;
	/* An abort waited for it: how it ended makes no difference any more. */
	if (u->state == UPDATE_ABORTING && work != WORK_NONE && work != WORK_RELEASE) {
		start(u, WORK_RELEASE);
		return 0;
	}
	return events[event->kind].handle(u, event);
}

bool update_next(struct update *u, struct update_action *ret)
{
	if (u->n_actions == 0)
		return false;
	*ret = u->actions[u->first_action++];
	u->n_actions--;
	return true;
}

const struct update_participant *update_find(const struct update *u, uint32_t participant)
{
	return participant_find(u, participant);
}

struct update *update_new(void)
{
	_cleanup_(update_freep) struct update *u = calloc(1, sizeof(*u));

	if (!u || update_make_room(u, 0) < 0)
		return NULL;
	return TAKE_PTR(u);
}

struct update *update_free(struct update *u)
{
	if (!u)
		return NULL;
	free(u->participants);
	free(u->actions);
	free(u);
	return NULL;
}

const char *update_answer_to_string(enum update_answer answer)
{
	static const char *const names[_ANSWER_MAX] = {
		[ANSWER_WATCHING] = "watching", [ANSWER_WAITING] = "waiting",
		[ANSWER_ASKED] = "asked",	[ANSWER_ACCEPTED] = "accepted",
		[ANSWER_REFUSED] = "refused",	[ANSWER_LEFT_BEHIND] = "left-behind",
	};

	return (unsigned int)answer < _ANSWER_MAX ? names[answer] : NULL;
}

const char *update_refusal_to_string(enum update_refusal refusal)
{
	static const char *const names[_REFUSAL_MAX] = {
		[REFUSAL_NONE] = "none",	 [REFUSAL_PARTICIPANT] = "participant",
		[REFUSAL_REGION] = "region",	 [REFUSAL_MEMORY] = "memory",
		[REFUSAL_KERNEL] = "kernel",	 [REFUSAL_TIMEOUT] = "timeout",
		[REFUSAL_RECORD] = "record",	 [REFUSAL_INTERRUPTED] = "interrupted",
		[REFUSAL_INTERNAL] = "internal",
	};

	return (unsigned int)refusal < _REFUSAL_MAX ? names[refusal] : NULL;
}
