/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an update promises, as far as its events and actions show it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/update-model.h"

static void on_participant(struct model *m, const struct update_event *event)
{
	uint32_t id = event->participant;

	switch (event->kind) {
	case EVENT_JOIN:
		m->joined[id] = true;
		return;
	case EVENT_LEAVE:
		m->vetoed[id] |= m->open[id];
		m->joined[id] = m->told_prepare[id] = m->told_freeze[id] = m->told_committed[id] =
			false;
		break;
	case EVENT_EXTEND:
		CHECK_THAT(m->awaited[id] && !m->extended[id]);
		CHECK_THAT(event->phase == (m->told_freeze[id] ? PHASE_FREEZE : PHASE_PREPARE));
		m->extended[id] = true;
		return;
	case EVENT_OVERDUE:
		CHECK_THAT(m->awaited[id]);
		m->vetoed[id] = true;
		break;
	default:
		CHECK_THAT(m->open[id]);
		CHECK_THAT(event->phase == (m->told_freeze[id] ? PHASE_FREEZE : PHASE_PREPARE));
		m->vetoed[id] |= event->kind == EVENT_REFUSE;
	}
	m->open[id] = false;
}

static void on_call(struct model *m, enum update_call call)
{
	CHECK_THAT(m->call == CALL_NONE);
	m->call = call;
	m->owned = true;
	if (call == CALL_PREPARE)
		m->uncounted = m->unpreserved = true;
	if (call == CALL_COMMIT)
		m->committed = true;
}

static void on_deadline(struct model *m)
{
	bool for_answers = m->deadline == DEADLINE_PREPARE || m->deadline == DEADLINE_FREEZE;
	bool freeze = m->deadline == DEADLINE_FREEZE;

	CHECK_THAT(m->deadline != DEADLINE_NONE);
	m->deadline = DEADLINE_NONE;
	for (uint32_t id = 1; id <= PARTICIPANTS; id++) {
		if (!for_answers)
			continue;
		m->vetoed[id] |= m->open[id] || (freeze && m->joined[id] && !m->told_freeze[id]);
		m->open[id] = false;
	}
}

static void on_work_ended(struct model *m, enum update_event_kind kind)
{
	m->work = WORK_NONE;
	if (kind == EVENT_PRESERVED || kind == EVENT_LATE_PRESERVED || kind == EVENT_LATE_FAILED)
		m->unstaged = true;
	if (kind == EVENT_RECORDED || kind == EVENT_RECORD_FAILED)
		m->recorded = true;
	if (kind == EVENT_RELEASED) {
		m->released = true;
		m->owned = false;
	}
}

void model_event(struct model *m, const struct update_event *event)
{
	switch (event->kind) {
	case EVENT_JOIN:
	case EVENT_LEAVE:
	case EVENT_ACCEPT:
	case EVENT_REFUSE:
	case EVENT_EXTEND:
	case EVENT_OVERDUE:
		on_participant(m, event);
		break;
	case EVENT_REGION:
		m->uncounted = m->unpreserved = true;
		break;
	case EVENT_PREPARE:
		on_call(m, CALL_PREPARE);
		break;
	case EVENT_STAGED:
	case EVENT_NOT_STAGED:
		on_call(m, CALL_STAGED);
		break;
	case EVENT_FREEZE:
		on_call(m, CALL_FREEZE);
		m->frozen = true;
		break;
	case EVENT_COMMIT:
		on_call(m, CALL_COMMIT);
		break;
	case EVENT_SHUTDOWN:
		m->committed = true;
		/* Idle until now: that is every region. */
		if (!m->preserve_begun)
			m->uncounted = m->unpreserved = true;
		break;
	case EVENT_KEXEC_FAILED:
		m->called_off = true;
		break;
	case EVENT_ABORT:
		m->abort_call = true;
		m->called_off = event->required;
		break;
	case EVENT_OPERATOR_GONE:
		CHECK_THAT(m->owned);
		m->called_off = m->call == CALL_COMMIT;
		m->owned = m->call = 0;
		break;
	case EVENT_DEADLINE:
		on_deadline(m);
		break;
	case EVENT_RECOVER:
		m->committed = event->state == UPDATE_COMMITTED;
		m->preserve_begun = event->state == UPDATE_STAGED;
		break;
	default:
		if (event->kind >= EVENT_CHECKED && event->kind <= EVENT_RELEASED)
			on_work_ended(m, event->kind);
	}
}

static void on_work(struct model *m, enum update_work work)
{
	CHECK_THAT(m->work == WORK_NONE);
	CHECK_THAT(m->aborted == (work == WORK_RELEASE));
	m->work = work;
	switch (work) {
	case WORK_CHECK:
		m->uncounted = false;
		break;
	case WORK_PRESERVE:
		CHECK_THAT(!m->uncounted && !m->preserve_begun);
		m->preserve_begun = true;
		m->unpreserved = false;
		break;
	case WORK_PRESERVE_LATE:
		CHECK_THAT(m->unpreserved);
		m->uncounted = m->unpreserved = false;
		break;
	case WORK_RECORD:
		/* The final tree has everything, and nobody writes who may be waited for. Only
		 * what is committed may be written down before, too.
		 */
		CHECK_THAT(!m->unpreserved && !m->unstaged && !m->final);
		m->recorded = false;
		m->final = m->frozen;
		for (uint32_t id = 1; id <= PARTICIPANTS; id++) {
			CHECK_THAT(!m->open[id] || !m->awaited[id]);
			CHECK_THAT(!m->joined[id] || m->told_freeze[id] || !m->frozen);
		}
		CHECK_THAT(m->frozen || m->committed);
		break;
	case WORK_RELEASE:
		CHECK_THAT(!m->release_begun);
		m->release_begun = true;
		break;
	default:
		break;
	}
}

/* Somebody who freezes before it has yet to answer. */
static bool has_to_wait(const struct model *m, orders_t orders, uint32_t id)
{
	for (uint32_t other = 1; other <= PARTICIPANTS; other++)
		if (other != id && m->joined[other] && (m->open[other] || !m->told_freeze[other]) &&
		    order_precedes(orders[other], orders[id]))
			return true;
	return false;
}

static void on_tell(struct model *m, orders_t orders, enum update_action_kind kind, uint32_t id)
{
	CHECK_THAT(m->joined[id]);
	if (kind == ACTION_TELL_RESUME) {
		CHECK_THAT(m->released && !m->committed);
		CHECK_THAT(m->told_prepare[id] || m->told_freeze[id] || m->told_committed[id]);
		m->told_prepare[id] = m->told_freeze[id] = m->told_committed[id] = m->open[id] =
			false;
		return;
	}
	CHECK_THAT(!m->aborted);
	if (kind == ACTION_TELL_COMMITTED) {
		CHECK_THAT(m->committed && !m->frozen && !m->open[id] && !m->told_committed[id]);
		m->told_committed[id] = true;
		return;
	}
	CHECK_THAT(!m->told_freeze[id]);
	m->open[id] = true;
	m->awaited[id] = m->deadline == DEADLINE_PREPARE || m->deadline == DEADLINE_FREEZE;
	if (kind == ACTION_TELL_FREEZE) {
		CHECK_THAT(m->deadline != DEADLINE_FREEZE || !has_to_wait(m, orders, id));
		m->told_freeze[id] = true;
		return;
	}
	CHECK_THAT(!m->told_prepare[id] && !m->preserve_begun);
	CHECK_THAT(m->deadline == DEADLINE_PREPARE);
	m->told_prepare[id] = true;
}

static void on_reply(struct model *m, const struct update_action *action)
{
	static const enum update_call calls[_ACTION_MAX] = {
		[ACTION_REPLY_PREPARED] = CALL_PREPARE,
		[ACTION_REPLY_STAGED] = CALL_STAGED,
		[ACTION_REPLY_FROZEN] = CALL_FREEZE,
		[ACTION_REPLY_COMMITTED] = CALL_COMMIT,
	};
	bool refused = action->kind == ACTION_REPLY_REFUSED;
	enum update_call call = refused ? action->call : calls[action->kind];

	CHECK_THAT(call != CALL_NONE && m->call == call);
	CHECK_THAT(m->work == WORK_NONE || call == CALL_STAGED);
	m->call = CALL_NONE;
	if (refused) {
		CHECK_THAT(m->released && action->cause.refusal != REFUSAL_NONE);
		return;
	}
	CHECK_THAT(!m->aborted);
	if (call == CALL_PREPARE)
		CHECK_THAT(!m->unpreserved && m->deadline == DEADLINE_STAGE);
	if (call == CALL_STAGED)
		CHECK_THAT(!m->unstaged && m->deadline == DEADLINE_NONE);
	if (call == CALL_FREEZE)
		CHECK_THAT(m->recorded && m->final &&
			   m->deadline == (m->committed ? DEADLINE_NONE : DEADLINE_FROZEN));
	if (call == CALL_COMMIT)
		CHECK_THAT(m->recorded && m->committed);
	if (call == CALL_STAGED || m->committed)
		m->owned = false;
}

/* What goes wrong, or is given up. */
static void on_trouble(struct model *m, const struct update_action *action)
{
	uint32_t id = action->participant;

	CHECK_THAT(action->cause.refusal != REFUSAL_NONE);
	CHECK_THAT(!m->aborted);
	switch (action->kind) {
	case ACTION_LEAVE_BEHIND:
		CHECK_THAT(m->vetoed[id] && !IS_REQUIRED(id));
		m->open[id] = false;
		break;
	case ACTION_LOG_LOSS:
		CHECK_THAT(m->committed && (id == 0 || m->vetoed[id]));
		m->open[id] = false;
		break;
	default:
		/* Only by who commits, or when the shutdown is called off. */
		CHECK_THAT(!m->committed || m->call == CALL_COMMIT || m->called_off);
		m->aborted = true;
		m->committed = false;
	}
	m->vetoed[id] = false;
}

void model_action(struct model *m, orders_t orders, const struct update_action *action)
{
	CHECK_THAT(action->participant <= PARTICIPANTS);
	switch (action->kind) {
	case ACTION_CHECK:
		on_work(m, WORK_CHECK);
		break;
	case ACTION_PRESERVE:
		on_work(m, WORK_PRESERVE);
		break;
	case ACTION_PRESERVE_LATE:
		on_work(m, WORK_PRESERVE_LATE);
		break;
	case ACTION_RECORD:
		on_work(m, WORK_RECORD);
		break;
	case ACTION_RELEASE:
		on_work(m, WORK_RELEASE);
		break;
	case ACTION_CANCEL_WORK:
		CHECK_THAT(m->work != WORK_NONE && m->aborted && !m->cancelled);
		m->cancelled = true;
		break;
	case ACTION_TELL_PREPARE:
	case ACTION_TELL_FREEZE:
	case ACTION_TELL_RESUME:
	case ACTION_TELL_COMMITTED:
		on_tell(m, orders, action->kind, action->participant);
		break;
	case ACTION_LEAVE_BEHIND:
	case ACTION_LOG_ABORT:
	case ACTION_LOG_LOSS:
		on_trouble(m, action);
		break;
	case ACTION_ARM_DEADLINE:
		CHECK_THAT(m->deadline == DEADLINE_NONE && action->deadline != DEADLINE_NONE);
		m->deadline = action->deadline;
		break;
	case ACTION_DISARM_DEADLINE:
		CHECK_THAT(m->deadline != DEADLINE_NONE);
		m->deadline = DEADLINE_NONE;
		break;
	case ACTION_STAGE:
		CHECK_THAT(m->unstaged && !m->aborted);
		m->unstaged = false;
		break;
	case ACTION_REPLY_ABORTED:
		CHECK_THAT(m->released && m->abort_call);
		m->abort_call = false;
		break;
	default:
		on_reply(m, action);
	}
}

/* What holds after every step, and what need not be remembered after it. */
void model_settle(struct model *m, orders_t orders, const struct update *u)
{
	static const struct model nothing;
	bool somebody_is_asked = false;
	struct model rest;

	CHECK_THAT(m->work == u->work && m->deadline == u->deadline && m->call == u->call);
	CHECK_THAT(m->owned == u->operator_attached && m->abort_call == u->abort_waits);
	CHECK_THAT(m->committed == (u->state == UPDATE_COMMITTED));
	m->called_off = false;
	/* A veto stops the update, or is written down at once. */
	for (uint32_t id = 1; id <= PARTICIPANTS; id++) {
		CHECK_THAT(!m->vetoed[id] || m->aborted);
		m->vetoed[id] = false;
		m->awaited[id] &= m->open[id];
		m->extended[id] &= m->open[id];
		/* Nobody is kept waiting for nothing. */
		CHECK_THAT(m->deadline != DEADLINE_FREEZE || !m->joined[id] || m->told_freeze[id] ||
			   has_to_wait(m, orders, id));
		somebody_is_asked |= m->open[id];
	}
	/* No answer is waited for that can't come. */
	CHECK_THAT(somebody_is_asked ||
		   (m->deadline != DEADLINE_PREPARE && m->deadline != DEADLINE_FREEZE));
	switch (u->state) {
	case UPDATE_PREPARING:
	case UPDATE_PREPARED:
	case UPDATE_FREEZING:
	case UPDATE_FROZEN:
		CHECK_THAT(m->owned && !m->aborted);
		break;
	case UPDATE_STAGED:
		CHECK_THAT(!m->owned && !m->unstaged && m->deadline == DEADLINE_NONE);
		CHECK_THAT(!m->unpreserved || m->work == WORK_PRESERVE_LATE);
		break;
	case UPDATE_ABORTING:
		CHECK_THAT(m->aborted && m->work != WORK_NONE);
		CHECK_THAT(m->cancelled || m->work == WORK_RELEASE);
		break;
	case UPDATE_IDLE:
	case UPDATE_RESTORING:
		CHECK_THAT(u->cause.refusal == REFUSAL_NONE);
		/* Every abort has let go, every call has its reply, everybody was told to resume.
		 */
		CHECK_THAT(m->aborted == m->released);
		rest = *m;
		memset(rest.joined, 0, sizeof(rest.joined));
		rest.aborted = rest.cancelled = rest.release_begun = rest.released = false;
		rest.preserve_begun = rest.recorded = rest.final = rest.frozen = false;
		rest.uncounted = rest.unpreserved = rest.unstaged = false;
		CHECK_THAT(memcmp(&rest, &nothing, sizeof(rest)) == 0);
		memcpy(rest.joined, m->joined, sizeof(rest.joined));
		*m = rest;
		break;
	default:
		break;
	}
}
