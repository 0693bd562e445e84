/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Goes through every state that an update of three participants can get into, by every event in
 * each, and holds what comes out against a model that knows only the actions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include <cmocka.h>

#include "tests/unit/update-model.h"

/* A struct update's value, without padding, followed by the model's. */
struct node {
	uint8_t state, work, deadline, call, flags, n;
	uint8_t cause_refusal, cause_event, cause_participant, cause_unasked;
	struct {
		uint8_t id, required, answer, told, extended, waits_for;
	} participants[PARTICIPANTS];
	struct model model;
};

struct exploration {
	const struct order *const *orders;
	struct update *u;
	struct node *nodes;
	uint8_t *depths; /* longest way to a state of rest; see assert_comes_to_rest */
	size_t n_nodes, n_allocated;
	uint32_t *table; /* index of a node, plus one, by its hash */
	size_t n_table;
	size_t n_transitions;
	unsigned int accepted_in[_EVENT_MAX]; /* bits of states */
	unsigned int leads_to[_UPDATE_STATE_MAX];
	unsigned int actions, refused_calls, deadlines, works, answers; /* bits */
};

static struct node pack(const struct update *u, const struct model *model)
{
	struct node node = {
		.state = u->state,
		.work = u->work,
		.deadline = u->deadline,
		.call = u->call,
		.flags = u->operator_attached | u->abort_waits << 1 | u->asking << 2 |
			 u->asked << 3 | u->regions_late << 4 | u->sealed << 5 | u->unrecorded << 6,
		.n = u->n_participants,
		.cause_refusal = u->cause.refusal,
		.cause_event = u->cause.event,
		.cause_participant = u->cause.participant,
		.cause_unasked = u->cause.unasked,
		.model = *model,
	};

	CHECK_THAT(u->n_participants <= PARTICIPANTS);
	for (size_t i = 0; i < u->n_participants; i++) {
		node.participants[i].id = u->participants[i].id;
		node.participants[i].required = u->participants[i].required;
		node.participants[i].answer = u->participants[i].answer;
		node.participants[i].told = u->participants[i].told;
		node.participants[i].extended = u->participants[i].extended;
		node.participants[i].waits_for = u->participants[i].waits_for;
	}
	return node;
}

static void unpack(struct update *u, orders_t orders, const struct node *node)
{
	u->state = node->state;
	u->work = node->work;
	u->deadline = node->deadline;
	u->call = node->call;
	u->operator_attached = node->flags & 1;
	u->abort_waits = node->flags & 2;
	u->asking = node->flags & 4;
	u->asked = node->flags & 8;
	u->regions_late = node->flags & 16;
	u->sealed = node->flags & 32;
	u->unrecorded = node->flags & 64;
	u->cause = (struct update_cause){node->cause_refusal, node->cause_event,
					 node->cause_participant, node->cause_unasked};
	u->n_participants = node->n;
	for (size_t i = 0; i < node->n; i++)
		u->participants[i] = (struct update_participant){
			.id = node->participants[i].id,
			.required = node->participants[i].required,
			.answer = node->participants[i].answer,
			.told = node->participants[i].told,
			.extended = node->participants[i].extended,
			.waits_for = node->participants[i].waits_for,
			.order = orders[node->participants[i].id],
		};
}

static void rehash(struct exploration *e, size_t n)
{
	free(e->table);
	e->table = calloc(n, sizeof(*e->table));
	assert_non_null(e->table);
	e->n_table = n;
	for (size_t i = 0; i < e->n_nodes; i++) {
		size_t at = XXH3_64bits(&e->nodes[i], sizeof(e->nodes[i])) & (n - 1);

		while (e->table[at] != 0)
			at = (at + 1) & (n - 1);
		e->table[at] = i + 1;
	}
}

/* The node's index; a new one goes to the end, to be visited. */
static size_t visit_later(struct exploration *e, const struct node *node)
{
	size_t at;

	if (2 * e->n_nodes >= e->n_table)
		rehash(e, e->n_table ? 2 * e->n_table : 1 << 16);
	at = XXH3_64bits(node, sizeof(*node)) & (e->n_table - 1);
	for (; e->table[at] != 0; at = (at + 1) & (e->n_table - 1))
		if (memcmp(&e->nodes[e->table[at] - 1], node, sizeof(*node)) == 0)
			return e->table[at] - 1;
	if (e->n_nodes == e->n_allocated) {
		e->n_allocated = e->n_allocated ? 2 * e->n_allocated : 1 << 12;
		e->nodes = reallocarray(e->nodes, e->n_allocated, sizeof(*e->nodes));
		assert_non_null(e->nodes);
	}
	e->nodes[e->n_nodes++] = *node;
	e->table[at] = e->n_nodes;
	return e->n_nodes - 1;
}

static void note_coverage(struct exploration *e, enum update_state before,
			  const struct update_event *event)
{
	e->accepted_in[event->kind] |= 1U << before;
	if (e->u->state != before)
		e->leads_to[before] |= 1U << e->u->state;
	e->deadlines |= 1U << e->u->deadline;
	e->works |= 1U << e->u->work;
	for (size_t i = 0; i < e->u->n_participants; i++)
		e->answers |= 1U << e->u->participants[i].answer;
}

/* False: the event can't happen in this state, and nothing has changed. */
static bool step(struct exploration *e, const struct node *from, const struct update_event *event,
		 struct node *ret)
{
	struct model m = from->model;
	struct update_action action;
	int r;

	unpack(e->u, e->orders, from);
	r = update_feed(e->u, event);
	if (r < 0) {
		CHECK_THAT(r == -EBUSY || r == -ENOENT || r == -EEXIST || r == -EALREADY);
		CHECK_THAT(!update_next(e->u, &action));
		*ret = pack(e->u, &m);
		CHECK_THAT(memcmp(ret, from, sizeof(*ret)) == 0);
		return false;
	}
	model_event(&m, event);
	while (update_next(e->u, &action)) {
		e->actions |= 1U << action.kind;
		if (action.kind == ACTION_REPLY_REFUSED)
			e->refused_calls |= 1U << action.call;
		model_action(&m, e->orders, &action);
	}
	model_settle(&m, e->orders, e->u);
	note_coverage(e, from->state, event);
	*ret = pack(e->u, &m);
	return true;
}

/* Every event there is, one by one, from *i = 0 on. */
static bool next_event(orders_t orders, unsigned int *i, struct update_event *ret)
{
	static const unsigned int variants[_EVENT_MAX] = {
		[EVENT_JOIN] = PARTICIPANTS,
		[EVENT_LEAVE] = PARTICIPANTS,
		[EVENT_ACCEPT] = PARTICIPANTS * _PHASE_MAX,
		[EVENT_REFUSE] = PARTICIPANTS * _PHASE_MAX,
		[EVENT_EXTEND] = PARTICIPANTS * _PHASE_MAX,
		[EVENT_OVERDUE] = PARTICIPANTS,
		[EVENT_LATE_FAILED] = 2,
		[EVENT_ABORT] = 2,
		[EVENT_RECOVER] = _UPDATE_STATE_MAX,
	};
	unsigned int left = (*i)++;

	for (unsigned int kind = 0; kind < _EVENT_MAX; kind++) {
		unsigned int n = variants[kind] > 0 ? variants[kind] : 1;

		if (left >= n) {
			left -= n;
			continue;
		}
		*ret = (struct update_event){.kind = kind};
		if (kind <= EVENT_EXTEND || kind == EVENT_OVERDUE) {
			ret->participant = 1 + left % PARTICIPANTS;
			ret->order = orders[ret->participant];
			ret->required = IS_REQUIRED(ret->participant);
			ret->phase = left / PARTICIPANTS;
		} else if (kind == EVENT_LATE_FAILED || kind == EVENT_ABORT) {
			ret->required = left;
		} else if (kind == EVENT_RECOVER) {
			ret->state = left;
		}
		return true;
	}
	return false;
}

/* Comes by itself: nobody need call, join or answer. */
static bool is_certain(const struct update_event *event)
{
	return event->kind >= EVENT_DEADLINE && event->kind <= EVENT_RELEASED;
}

/*
 * Whatever workers and timers bring, in whatever order, leads to a state of rest in which nobody is
 * frozen for nothing: no way there goes on for ever, and none ends elsewhere. The longest one's
 * length.
 */
static unsigned int assert_comes_to_rest(struct exploration *e, size_t i)
{
	enum { UNKNOWN, ON_THE_WAY, KNOWN };
	const struct node node = e->nodes[i];
	struct update_event event;
	unsigned int depth = 0;
	struct node next;
	bool rests = true;

	if (e->depths[i] >= KNOWN)
		return e->depths[i] - KNOWN;
	CHECK_THAT(e->depths[i] == UNKNOWN);
	e->depths[i] = ON_THE_WAY;
	for (unsigned int k = 0; next_event(e->orders, &k, &event);) {
		unsigned int d;

		if (!is_certain(&event) || !step(e, &node, &event, &next))
			continue;
		rests = false;
		d = 1 + assert_comes_to_rest(e, visit_later(e, &next));
		if (d > depth)
			depth = d;
	}
	if (rests)
		CHECK_THAT(node.state == UPDATE_IDLE || node.state == UPDATE_STAGED ||
			   node.state == UPDATE_COMMITTED || node.state == UPDATE_RESTORING);
	CHECK_THAT(depth < 100);
	e->depths[i] = KNOWN + depth;
	return depth;
}

#define IN(state) (1U << UPDATE_##state)
#define IN_ANY ((1U << _UPDATE_STATE_MAX) - 1)
#define IN_LATE (IN(PREPARED) | IN(STAGED) | IN(FREEZING) | IN(COMMITTED))
#define IN_ASKED (IN(PREPARING) | IN(FREEZING) | IN(COMMITTED))
#define IN_ANSWERED (IN_ASKED | IN(FROZEN))
#define UNCOMMITTED                                                                                \
	(IN(PREPARING) | IN(PREPARED) | IN(STAGED) | IN(FREEZING) | IN(FROZEN) | IN(ABORTING))

/* In which states each event can happen: exactly these, and each was seen. */
static void assert_events_covered(const struct exploration *e)
{
	static const unsigned int expected[_EVENT_MAX] = {
		[EVENT_JOIN] = IN_ANY,
		[EVENT_LEAVE] = IN_ANY,
		[EVENT_ACCEPT] = IN_ANSWERED,
		[EVENT_REFUSE] = IN_ANSWERED,
		[EVENT_EXTEND] = IN_ASKED,
		[EVENT_REGION] = IN_ANY & ~IN(FROZEN),
		[EVENT_PREPARE] = IN(IDLE),
		[EVENT_STAGED] = IN(PREPARED),
		[EVENT_NOT_STAGED] = IN(PREPARED),
		[EVENT_FREEZE] = IN(STAGED) | IN(COMMITTED),
		[EVENT_COMMIT] = IN(STAGED),
		[EVENT_SHUTDOWN] = IN(IDLE) | IN(STAGED),
		[EVENT_KEXEC_FAILED] = IN(FROZEN) | IN(COMMITTED),
		[EVENT_ABORT] = UNCOMMITTED | IN(COMMITTED),
		[EVENT_OPERATOR_GONE] = (UNCOMMITTED & ~IN(STAGED)) | IN(COMMITTED),
		[EVENT_DEADLINE] = IN_ANSWERED | IN(PREPARED),
		[EVENT_OVERDUE] = IN_ASKED,
		[EVENT_CHECKED] = IN(PREPARING) | IN(ABORTING),
		[EVENT_CHECK_FAILED] = IN(PREPARING) | IN(ABORTING),
		[EVENT_PRESERVED] = IN(PREPARING) | IN(ABORTING),
		[EVENT_PRESERVE_FAILED] = IN(PREPARING) | IN(ABORTING),
		[EVENT_LATE_PRESERVED] = IN(PREPARING) | IN_LATE | IN(ABORTING),
		[EVENT_LATE_FAILED] = IN(PREPARING) | IN_LATE | IN(ABORTING),
		[EVENT_RECORDED] = IN(FREEZING) | IN(COMMITTED) | IN(ABORTING),
		[EVENT_RECORD_FAILED] = IN(FREEZING) | IN(COMMITTED) | IN(ABORTING),
		[EVENT_RELEASED] = IN(ABORTING),
		[EVENT_RESTORE] = IN(IDLE),
		[EVENT_RESTORED] = IN(RESTORING),
		[EVENT_RECOVER] = IN(IDLE),
	};

	for (unsigned int kind = 0; kind < _EVENT_MAX; kind++)
		if (e->accepted_in[kind] != expected[kind])
			fail_msg("event %u happened in states %#x, not %#x", kind,
				 e->accepted_in[kind], expected[kind]);
}

/* Which state leads to which: exactly these, and each was seen. */
static void assert_states_covered(const struct exploration *e)
{
	static const unsigned int expected[_UPDATE_STATE_MAX] = {
		[UPDATE_IDLE] = IN(PREPARING) | IN(RESTORING) |
				/* the daemon came back */
				IN(STAGED) | IN(COMMITTED) | IN(ABORTING),
		[UPDATE_PREPARING] = IN(PREPARED) | IN(ABORTING),
		[UPDATE_PREPARED] = IN(STAGED) | IN(ABORTING),
		[UPDATE_STAGED] = IN(FREEZING) | IN(COMMITTED) | IN(ABORTING),
		[UPDATE_FREEZING] = IN(FROZEN) | IN(ABORTING),
		[UPDATE_FROZEN] = IN(ABORTING),
		[UPDATE_COMMITTED] = IN(ABORTING),
		[UPDATE_ABORTING] = IN(IDLE),
		[UPDATE_RESTORING] = IN(IDLE),
	};

	for (unsigned int state = 0; state < _UPDATE_STATE_MAX; state++)
		if (e->leads_to[state] != expected[state])
			fail_msg("state %u led to states %#x, not %#x", state, e->leads_to[state],
				 expected[state]);
}

static void begin(struct exploration *e)
{
	static const struct model empty;
	struct node start;

	e->u = update_new();
	assert_non_null(e->u);
	/* Makes room for the participants of every state that is put in its place. */
	for (uint32_t id = 1; id <= PARTICIPANTS; id++)
		assert_int_equal(update_feed(e->u, &(struct update_event){.kind = EVENT_JOIN,
									  .participant = id}),
				 0);
	for (uint32_t id = 1; id <= PARTICIPANTS; id++)
		assert_int_equal(update_feed(e->u, &(struct update_event){.kind = EVENT_LEAVE,
									  .participant = id}),
				 0);
	start = pack(e->u, &empty);
	visit_later(e, &start);
}

static void assert_covered(const struct exploration *e, unsigned int answers)
{
	assert_events_covered(e);
	assert_states_covered(e);
	assert_int_equal(e->actions, (1U << _ACTION_MAX) - 1);
	assert_int_equal(e->deadlines, (1U << _DEADLINE_MAX) - 1);
	assert_int_equal(e->works, (1U << _WORK_MAX) - 1);
	assert_int_equal(e->answers, answers);
	assert_int_equal(e->refused_calls, 1U << CALL_PREPARE | 1U << CALL_STAGED |
						   1U << CALL_FREEZE | 1U << CALL_COMMIT);
}

static void assert_all_come_to_rest(struct exploration *e)
{
	unsigned int depth = 0;

	e->depths = calloc(e->n_nodes, 1);
	assert_non_null(e->depths);
	for (size_t i = 0, n = e->n_nodes; i < n; i++) {
		unsigned int d = assert_comes_to_rest(e, i);

		if (d > depth)
			depth = d;
		assert_int_equal(e->n_nodes, n);
	}
	print_message("at rest after %u events at most\n", depth);
}

static void explore(orders_t orders, unsigned int answers)
{
	struct exploration e = {.orders = orders};

	begin(&e);
	for (size_t i = 0; i < e.n_nodes; i++) {
		const struct node node = e.nodes[i];
		struct update_event event;
		struct node next;

		for (unsigned int k = 0; next_event(orders, &k, &event);)
			if (step(&e, &node, &event, &next)) {
				visit_later(&e, &next);
				e.n_transitions++;
			}
	}
	print_message("%zu states, %zu transitions\n", e.n_nodes, e.n_transitions);
	assert_covered(&e, answers);
	assert_all_come_to_rest(&e);
	update_free(e.u);
	free(e.nodes);
	free(e.table);
	free(e.depths);
}

#define ALL_ANSWERS ((1U << _ANSWER_MAX) - 1)

static void test_in_no_order(void **state)
{
	explore((orders_t){NULL}, ALL_ANSWERS & ~(1U << ANSWER_WAITING));
}

/* The one in the middle is optional, and knows nothing of it. */
static const struct order row1 = {.owner = "1", .before = (const char *[]){"2", "absent", NULL}},
			  row2 = {.owner = "2"},
			  row3 = {.owner = "3", .after = (const char *[]){"2", NULL}};

static void test_in_a_row(void **state)
{

	explore((orders_t){NULL, &row1, &row2, &row3}, ALL_ANSWERS);
}

static const struct order fork1 = {.owner = "1", .after = (const char *[]){"2", "3", NULL}},
			  fork2 = {.owner = "2", .before = (const char *[]){"1", NULL}},
			  fork3 = {.owner = "3"};

static void test_one_after_two(void **state)
{

	explore((orders_t){NULL, &fork1, &fork2, &fork3}, ALL_ANSWERS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_no_order),
		cmocka_unit_test(test_in_a_row),
		cmocka_unit_test(test_one_after_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
