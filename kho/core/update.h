/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CORE_UPDATE_H
#define KHO_CORE_UPDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kho/core/cleanup.h"
#include "kho/core/order.h"
#include "kho/core/state.h"

/*
 * An update as a pure state machine: an event goes in, the state changes and actions come out. It
 * does nothing itself and knows no clock: who drives it carries the actions out, arms the one
 * timer of the update and one for each participant that is asked, runs the one worker, and feeds
 * back how that went.
 *
 *	r = update_feed(update, &(struct update_event){ .kind = EVENT_ACCEPT, .participant = 7,
 *							 .phase = PHASE_PREPARE });
 *	while (update_next(update, &action))
 *		carry_out(&action);
 *
 * Carrying an action out may feed further events: their actions queue up behind.
 */

/* What participants are asked. */
enum update_phase {
	PHASE_PREPARE,
	PHASE_FREEZE,
	_PHASE_MAX,
};

enum update_answer {
	ANSWER_WATCHING,
	ANSWER_WAITING, /* is told freeze when those have answered that freeze before it */
	ANSWER_ASKED,	/* told prepare or freeze; has not answered */
	ANSWER_ACCEPTED,
	ANSWER_REFUSED,
	ANSWER_LEFT_BEHIND, /* did not answer in time, which did not stop the update */
	_ANSWER_MAX,
};

/* Why an update does not happen, as io.kho.Manager.Refused says it. */
enum update_refusal {
	REFUSAL_NONE,
	REFUSAL_PARTICIPANT,
	REFUSAL_REGION,
	REFUSAL_MEMORY,
	REFUSAL_KERNEL,
	REFUSAL_TIMEOUT,
	REFUSAL_RECORD,
	REFUSAL_INTERRUPTED,
	REFUSAL_INTERNAL,
	_REFUSAL_MAX,
};

enum update_deadline {
	DEADLINE_NONE,
	DEADLINE_PREPARE, /* for all participants to answer prepare */
	DEADLINE_STAGE,	  /* for the operator to load the next kernel */
	DEADLINE_FREEZE,  /* for all participants to answer freeze */
	DEADLINE_FROZEN,  /* for the operator to call reboot(2) */
	_DEADLINE_MAX,
};

/* The worker in flight; there is never more than one. */
enum update_work {
	WORK_NONE,
	WORK_CHECK,
	WORK_PRESERVE,
	WORK_PRESERVE_LATE,
	WORK_RECORD,
	WORK_RELEASE,
	_WORK_MAX,
};

/* The operator's call that waits for its reply. */
enum update_call {
	CALL_NONE,
	CALL_PREPARE,
	CALL_STAGED,
	CALL_FREEZE,
	CALL_COMMIT,
	_CALL_MAX,
};

/*
 * Fields of struct update_event that an event takes are in parentheses; then the states it is for.
 * In others it is -EBUSY, or -ENOENT where there is no update that it could be about.
 */
enum update_event_kind {
	/* Participants and regions. */
	EVENT_JOIN,   /* (participant, required, order) watches from now on: any */
	EVENT_LEAVE,  /* (participant) its connection is closed: any */
	EVENT_ACCEPT, /* (participant, phase): while it is asked that */
	EVENT_REFUSE, /* (participant, phase): while it is asked that */
	EVENT_EXTEND, /* (participant, phase) asks for more time: while it is asked that, once */
	EVENT_REGION, /* is about to be registered: any. 0: add it, then carry the actions out;
			 -EBUSY: too late, the final tree is written */

	/* The operator. Who makes a call (PREPARE to COMMIT) owns the update until its reply, with
	 * PREPARE until STAGED's, with FREEZE for good.
	 */
	EVENT_PREPARE,	    /* idle */
	EVENT_STAGED,	    /* the next kernel is loaded: prepared */
	EVENT_NOT_STAGED,   /* the operator says staged, and nothing is loaded: prepared */
	EVENT_FREEZE,	    /* kexec -e: staged; the last step of a shutdown: committed */
	EVENT_COMMIT,	    /* an orderly shutdown into the next kernel is about to begin: staged */
	EVENT_SHUTDOWN,	    /* one has begun, and nobody can stop it: staged, or idle: then what can
			       still be kept is */
	EVENT_KEXEC_FAILED, /* (refusal, or kernel) reboot(2) returned: frozen; the shutdown is
			       called off: committed */
	EVENT_ABORT, /* (refusal, or interrupted) any update that is not committed, or is being
			committed; (required) a committed one, too: its shutdown does not happen */
	EVENT_OPERATOR_GONE, /* the connection that owns the update broke: while one does */

	/* The timer and the worker. Of a failure: (refusal, or what it is by itself). */
	EVENT_DEADLINE, /* while one is armed */
	EVENT_OVERDUE,	/* (participant) its own time to answer is over: while it is asked */
	EVENT_CHECKED,
	EVENT_CHECK_FAILED,
	EVENT_PRESERVED,
	EVENT_PRESERVE_FAILED,
	EVENT_LATE_PRESERVED,
	EVENT_LATE_FAILED, /* (required) or only of optional regions: they are left behind */
	EVENT_RECORDED,
	EVENT_RECORD_FAILED,
	EVENT_RELEASED, /* the kernel has let go of everything */

	/* The daemon started. */
	EVENT_RESTORE,	/* in a new kernel, with something to restore: idle */
	EVENT_RESTORED, /* restoring */
	EVENT_RECOVER,	/* (state) in the same kernel, having left off in that state: idle */
	_EVENT_MAX,
};

struct update_event {
	enum update_event_kind kind;
	uint32_t participant; /* never 0 */
	bool required;
	enum update_phase phase;
	const struct order *order; /* has to stay until LEAVE; NULL: it says nothing of it */
	enum update_refusal refusal;
	enum update_state state;
};

/* What stops an update, or what was lost after the point of no return. */
struct update_cause {
	enum update_refusal refusal;
	enum update_event_kind event; /* that brought it */
	uint32_t participant;	      /* whose fault it is; 0: nobody's */
	bool unasked; /* it was not told to freeze in time: those before it took too long */
};

/* Fields of struct update_action that come with an action are in parentheses. */
enum update_action_kind {
	/* Workers to start: each ends with its event (CHECKED or CHECK_FAILED …), once. */
	ACTION_CHECK,	      /* the arithmetic, over all regions */
	ACTION_PRESERVE,      /* all regions */
	ACTION_PRESERVE_LATE, /* check and preserve the regions that are not preserved yet */
	ACTION_RECORD,	      /* digests, the final tree, the ledger, all synced */
	ACTION_RELEASE,	      /* close the sessions, wait till the kernel has let go */
	ACTION_CANCEL_WORK,   /* the worker in flight need not go on; its event is awaited */

	/* Participants. One that is gone by now is passed over. */
	ACTION_TELL_PREPARE,   /* (participant) */
	ACTION_TELL_FREEZE,    /* (participant) */
	ACTION_TELL_RESUME,    /* (participant, cause) */
	ACTION_TELL_COMMITTED, /* (participant) it will be stopped, or told to freeze */
	ACTION_LEAVE_BEHIND, /* (participant, cause) an optional one: a warning for the operator */

	ACTION_ARM_DEADLINE, /* (deadline) none is armed yet */
	ACTION_DISARM_DEADLINE,

	ACTION_STAGE, /* sessions that are not in the fd store yet go there */

	/* First of an abort: log why, and keep the words for resume and the replies; the
	 * participant may be gone by then. */
	ACTION_LOG_ABORT, /* (cause) */
	/* Committed: log what is likely to be lost, and write it to the record. */
	ACTION_LOG_LOSS, /* (cause) */

	ACTION_REPLY_PREPARED,
	ACTION_REPLY_STAGED,
	ACTION_REPLY_FROZEN,
	ACTION_REPLY_COMMITTED, /* the ledger is on disk: shut down */
	ACTION_REPLY_REFUSED,	/* (call, cause) all is undone */
	ACTION_REPLY_ABORTED,	/* to every Abort call that waits: all is undone */
	_ACTION_MAX,
};

struct update_action {
	enum update_action_kind kind;
	uint32_t participant;
	enum update_deadline deadline;
	enum update_call call;
	struct update_cause cause;
};

struct update_participant {
	uint32_t id;
	bool required; /* a refusal, or no answer in time, stops the update */
	enum update_answer answer;
	bool told;	    /* of this update, so that it has resume to come if that is aborted */
	bool extended;	    /* while ASKED: has had more time */
	uint32_t waits_for; /* while WAITING: one that has to answer first; there may be more */
	const struct order *order;
};

/* Read-only but for update_feed and update_next. */
struct update {
	enum update_state state;
	enum update_work work;
	enum update_deadline deadline; /* that is armed */
	enum update_call call;
	bool operator_attached;	   /* an operator's connection owns the update */
	bool abort_waits;	   /* an Abort call waits for its reply */
	bool asking;		   /* participants' answers are awaited */
	bool asked;		   /* their answers are in, or were given up */
	bool regions_late;	   /* registered since the work in flight began */
	bool sealed;		   /* the final tree is being written, or is: no more regions */
	bool unrecorded;	   /* committed, and the ledger does not have it all */
	struct update_cause cause; /* of the abort */

	struct update_participant *participants; /* in the order they joined */
	size_t n_participants;

	/* Private. */
	size_t n_participants_allocated;
	struct update_action *actions; /* a queue */
	size_t first_action, n_actions, n_actions_allocated;
};

/* An idle one without participants, the caller's to free; NULL: out of memory. */
struct update *update_new(void);
/* Returns NULL. */
struct update *update_free(struct update *update);
DEFINE_CLEANUP_FUNC(struct update *, update_free)

/*
 * Lets an event happen. 0: it did, and update_next gives what is to be done, if anything. On any
 * error nothing has changed:
 *
 * -EBUSY	the update is in a state that does not allow it;
 * -ENOENT	there is no such update, participant, worker, deadline or owning connection;
 * -EEXIST	JOIN of a participant that has joined;
 * -ELOOP	JOIN of one whose order would close a cycle: order_find_cycle() gives it;
 * -EALREADY	EXTEND by one that has asked for more time in this phase;
 * -EINVAL	no such event, or a value out of its range;
 * -ENOMEM	only from JOIN, and from events fed before all earlier actions were taken.
 */
int update_feed(struct update *update, const struct update_event *event);

/* Takes the next action off the queue. False: there is none. */
bool update_next(struct update *update, struct update_action *ret);

/* NULL: no such participant. Valid until the next event. */
const struct update_participant *update_find(const struct update *update, uint32_t participant);

/* As in io.kho.Manager: of Participant.state, and Refused.cause. NULL: out of range. */
const char *update_answer_to_string(enum update_answer answer);
const char *update_refusal_to_string(enum update_refusal refusal);

#endif
