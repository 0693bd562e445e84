/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "kho/core/update-private.h"

/* Of a required one before the point of no return this is a veto. */
static void go_without(struct update *u, const struct update_participant *p,
		       struct update_cause cause)
{
	if (!p->required)
		EMIT(u, ACTION_LEAVE_BEHIND, .participant = p->id, .cause = cause);
	else if (u->state == UPDATE_COMMITTED)
		EMIT(u, ACTION_LOG_LOSS, .participant = p->id, .cause = cause);
	else
		update_abort(u, cause);
}

static bool awaits_answer(const struct update *u, const struct update_participant *p)
{
	return u->state != UPDATE_ABORTING && p->answer == ANSWER_ASKED;
}

static void count_answers(struct update *u)
{
	if (!u->asking)
		return;
	for (size_t i = 0; i < u->n_participants; i++)
		if (awaits_answer(u, &u->participants[i]))
			return;
	u->asking = false;
	u->asked = true;
	update_disarm(u);
	update_go_on(u);
}

static void tell(struct update *u, struct update_participant *p)
{
	bool prepare = u->state == UPDATE_PREPARING;

	p->answer = ANSWER_ASKED;
	p->told = true;
	EMIT(u, prepare ? ACTION_TELL_PREPARE : ACTION_TELL_FREEZE, .participant = p->id);
}

void participants_ask(struct update *u)
{
	u->asking = true;
	/* First, so that participants can be told how long they have. */
	if (u->n_participants > 0)
		update_arm(u, u->state == UPDATE_PREPARING ? DEADLINE_PREPARE : DEADLINE_FREEZE);
	for (size_t i = 0; i < u->n_participants; i++)
		tell(u, &u->participants[i]);
	count_answers(u);
}

/* Asks a newcomer what the others are being asked, or were. */
static void welcome(struct update *u, struct update_participant *p)
{
	bool freeze = u->state == UPDATE_FREEZING || u->state == UPDATE_FROZEN ||
		      u->state == UPDATE_COMMITTED;

	/* Once all others have answered, the update does not wait for its answer, or newcomers
	 * could make it wait for ever; but it has to stop writing all the same.
	 */
	if (freeze || u->asking)
		tell(u, p);
}

struct update_participant *participant_find(const struct update *u, uint32_t id)
{
	for (size_t i = 0; i < u->n_participants; i++)
		if (u->participants[i].id == id)
			return &u->participants[i];
	return NULL;
}

int participant_joins(struct update *u, const struct update_event *event)
{
	struct update_participant *p;
	size_t n = u->n_participants;
	int r;

	if (event->participant == 0)
		return -EINVAL;
	if (participant_find(u, event->participant))
		return -EEXIST;
	/* All room that later events need is made here: an abort must not run out of memory. */
	r = update_make_room(u, n + 1);
	if (r < 0)
		return r;
	if (n == u->n_participants_allocated) {
		size_t more = 2 * n + 8;

		p = reallocarray(u->participants, more, sizeof(*p));
		if (!p)
			return -ENOMEM;
		u->participants = p;
		u->n_participants_allocated = more;
	}
	p = &u->participants[u->n_participants++];
	*p = (struct update_participant){.id = event->participant, .required = event->required};
	welcome(u, p);
	return 0;
}

int participant_leaves(struct update *u, const struct update_event *event)
{
	struct update_participant *p = participant_find(u, event->participant), gone;

	if (!p)
		return -ENOENT;
	gone = *p;
	memmove(p, p + 1, (char *)(u->participants + u->n_participants) - (char *)(p + 1));
	u->n_participants--;
	if (awaits_answer(u, &gone))
		go_without(u, &gone, update_cause_of(event, REFUSAL_PARTICIPANT, gone.id));
	count_answers(u);
	return 0;
}

int participant_answers(struct update *u, const struct update_event *event)
{
	enum update_phase phase = u->state == UPDATE_PREPARING ? PHASE_PREPARE : PHASE_FREEZE;
	struct update_participant *p = participant_find(u, event->participant);

	if ((unsigned int)event->phase >= _PHASE_MAX)
		return -EINVAL;
	if (!p)
		return -ENOENT;
	/* An answer to prepare that comes too late is none to freeze. */
	if (!awaits_answer(u, p) || event->phase != phase)
		return -EBUSY;
	if (event->kind == EVENT_ACCEPT) {
		p->answer = ANSWER_ACCEPTED;
	} else {
		p->answer = ANSWER_REFUSED;
		go_without(u, p, update_cause_of(event, REFUSAL_PARTICIPANT, p->id));
	}
	count_answers(u);
	return 0;
}

void participants_time_out(struct update *u, const struct update_event *event)
{
	for (size_t i = 0; i < u->n_participants; i++) {
		struct update_participant *p = &u->participants[i];

		if (!awaits_answer(u, p))
			continue;
		p->answer = ANSWER_LEFT_BEHIND;
		go_without(u, p, update_cause_of(event, REFUSAL_TIMEOUT, p->id));
	}
	count_answers(u);
}
