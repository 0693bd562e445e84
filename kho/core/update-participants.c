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

/* Asked, or to be asked when others have answered. */
static bool is_open(const struct update_participant *p)
{
	return p->answer == ANSWER_ASKED || p->answer == ANSWER_WAITING;
}

static void count_answers(struct update *u)
{
	if (!u->asking)
		return;
	for (size_t i = 0; i < u->n_participants; i++)
		if (is_open(&u->participants[i]))
			return;
	u->asking = false;
	u->asked = true;
	update_disarm(u);
	update_go_on(u);
}

static void set_answer(struct update_participant *p, enum update_answer answer)
{
	p->answer = answer;
	p->extended = false;
	p->waits_for = 0;
}

static void tell(struct update *u, struct update_participant *p)
{
	bool prepare = u->state == UPDATE_PREPARING;

	set_answer(p, ANSWER_ASKED);
	p->told = true;
	EMIT(u, prepare ? ACTION_TELL_PREPARE : ACTION_TELL_FREEZE, .participant = p->id);
}

/* Tells it, or has it wait for one that freezes before it and has not answered. When that one has,
 * the next is looked for: nobody is compared with everybody at every answer.
 */
static void tell_in_turn(struct update *u, struct update_participant *p)
{
	for (size_t i = 0; p->order && u->asking && i < u->n_participants; i++) {
		const struct update_participant *other = &u->participants[i];

		if (other == p || !is_open(other) || !order_precedes(other->order, p->order))
			continue;
		p->answer = ANSWER_WAITING;
		p->waits_for = other->id;
		return;
	}
	tell(u, p);
}

/* It has answered, or never will. */
static void done_with(struct update *u, uint32_t id)
{
	for (size_t i = 0; u->asking && i < u->n_participants; i++) {
		struct update_participant *p = &u->participants[i];

		if (p->answer == ANSWER_WAITING && p->waits_for == id)
			tell_in_turn(u, p);
	}
	count_answers(u);
}

void participants_ask(struct update *u)
{
	bool freeze = u->state != UPDATE_PREPARING;

	u->asking = true;
	/* First, so that participants can be told how long they have. */
	if (u->n_participants > 0)
		update_arm(u, freeze ? DEADLINE_FREEZE : DEADLINE_PREPARE);
	for (size_t i = 0; i < u->n_participants; i++)
		set_answer(&u->participants[i], freeze ? ANSWER_WAITING : ANSWER_WATCHING);
	for (size_t i = 0; i < u->n_participants; i++) {
		if (freeze)
			tell_in_turn(u, &u->participants[i]);
		else
			tell(u, &u->participants[i]);
	}
	count_answers(u);
}

static void tell_committed(struct update *u, struct update_participant *p)
{
	/* That it has prepared does not mean that it has stopped writing. */
	set_answer(p, ANSWER_WATCHING);
	p->told = true;
	EMIT(u, ACTION_TELL_COMMITTED, .participant = p->id);
}

void participants_tell_committed(struct update *u)
{
	for (size_t i = 0; i < u->n_participants; i++)
		tell_committed(u, &u->participants[i]);
}

/* Asks a newcomer what the others are being asked, or were. */
static void welcome(struct update *u, struct update_participant *p)
{
	bool freeze = u->state == UPDATE_FREEZING || u->state == UPDATE_FROZEN ||
		      u->state == UPDATE_COMMITTED;

	if (u->state == UPDATE_COMMITTED && !u->asking && !u->asked) {
		tell_committed(u, p);
		return;
	}
	/* Once all others have answered, the update does not wait for its answer, or newcomers
	 * could make it wait for ever; but it has to stop writing all the same.
	 */
	if (freeze)
		tell_in_turn(u, p);
	else if (u->asking)
		tell(u, p);
}

struct update_participant *participant_find(const struct update *u, uint32_t id)
{
	for (size_t i = 0; i < u->n_participants; i++)
		if (u->participants[i].id == id)
			return &u->participants[i];
	return NULL;
}

static int check_order(const struct update *u, const struct order *order)
{
	_cleanup_free_ const struct order **orders = NULL;
	_cleanup_free_ char *cycle = NULL;
	size_t n = 0;

	if (!order || (!order->before && !order->after))
		return 0;
	orders = calloc(u->n_participants + 1, sizeof(*orders));
	if (!orders)
		return -ENOMEM;
	for (size_t i = 0; i < u->n_participants; i++)
		if (u->participants[i].order)
			orders[n++] = u->participants[i].order;
	orders[n++] = order;
	return order_find_cycle(orders, n, &cycle);
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
	r = check_order(u, event->order);
	if (r < 0)
		return r;
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
	*p = (struct update_participant){
		.id = event->participant, .required = event->required, .order = event->order};
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
	done_with(u, gone.id);
	return 0;
}

/* Whom the event is about, if it is about what is being asked. */
static int find_asked(struct update *u, const struct update_event *event,
		      struct update_participant **ret)
{
	enum update_phase phase = u->state == UPDATE_PREPARING ? PHASE_PREPARE : PHASE_FREEZE;

	if ((unsigned int)event->phase >= _PHASE_MAX)
		return -EINVAL;
	*ret = participant_find(u, event->participant);
	if (!*ret)
		return -ENOENT;
	/* An answer to prepare that comes too late is none to freeze. */
	return awaits_answer(u, *ret) && event->phase == phase ? 0 : -EBUSY;
}

int participant_answers(struct update *u, const struct update_event *event)
{
	struct update_participant *p;
	int r = find_asked(u, event, &p);

	if (r < 0)
		return r;
	if (event->kind == EVENT_ACCEPT) {
		set_answer(p, ANSWER_ACCEPTED);
	} else {
		set_answer(p, ANSWER_REFUSED);
		go_without(u, p, update_cause_of(event, REFUSAL_PARTICIPANT, p->id));
	}
	done_with(u, event->participant);
	return 0;
}

int participant_extends(struct update *u, const struct update_event *event)
{
	struct update_participant *p;
	int r = find_asked(u, event, &p);

	if (r < 0)
		return r;
	/* Of one that came late nobody waits for the answer. */
	if (!u->asking)
		return -EBUSY;
	if (p->extended)
		return -EALREADY;
	p->extended = true;
	return 0;
}

static void time_out(struct update *u, struct update_participant *p,
		     const struct update_event *event)
{
	struct update_cause cause = update_cause_of(event, REFUSAL_TIMEOUT, p->id);

	cause.unasked = p->answer == ANSWER_WAITING;
	/* It has to stop writing all the same, if the update goes on. */
	if (cause.unasked && (!p->required || u->state == UPDATE_COMMITTED))
		tell(u, p);
	set_answer(p, ANSWER_LEFT_BEHIND);
	go_without(u, p, cause);
}

int participant_is_overdue(struct update *u, const struct update_event *event)
{
	struct update_participant *p = participant_find(u, event->participant);

	if (!p)
		return -ENOENT;
	if (!awaits_answer(u, p) || !u->asking)
		return -EBUSY;
	time_out(u, p, event);
	done_with(u, event->participant);
	return 0;
}

/* All at once, and those first whose fault it is. */
void participants_time_out(struct update *u, const struct update_event *event)
{
	static const enum update_answer answers[] = {ANSWER_ASKED, ANSWER_WAITING};

	for (size_t k = 0; k < ARRAY_SIZE(answers); k++)
		for (size_t i = 0; u->asking && i < u->n_participants; i++)
			if (u->participants[i].answer == answers[k])
				time_out(u, &u->participants[i], event);
	count_answers(u);
}
