/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is asked when, for how long, and in which order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/update-story.h"

#define EXTEND(u, id, what) STEP(u, "", EVENT_EXTEND, .participant = id, .phase = what)
#define OVERDUE(u, id, actions) STEP(u, actions, EVENT_OVERDUE, .participant = id)
#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define JOIN_ORDERED(u, id, needed, said)                                                          \
	STEP(u, "", EVENT_JOIN, .participant = id, .required = needed, .order = said)

static void test_overdue(void **state)
{
	_cleanup_(update_freep) struct update *u = with_two();

	WRONG(u, -EBUSY, EVENT_OVERDUE, .participant = 1);
	STEP(u, "check", EVENT_PREPARE);
	STEP(u, "arm:prepare prepare:1 prepare:2", EVENT_CHECKED);
	WRONG(u, -ENOENT, EVENT_OVERDUE, .participant = 3);
	OVERDUE(u, 2, "leave-behind:2(timeout 2)");
	WRONG(u, -EBUSY, EVENT_OVERDUE, .participant = 2);
	/* Each by itself: the other may still answer. */
	ACCEPT(u, 1, PHASE_PREPARE, "disarm check");
	STEP(u, "preserve", EVENT_CHECKED);
	STEP(u, "arm:stage reply-prepared", EVENT_PRESERVED);
	STEP(u, "disarm stage reply-staged", EVENT_STAGED);
	STEP(u, "arm:freeze freeze:1 freeze:2", EVENT_FREEZE);
	OVERDUE(u, 1, "log-abort(timeout 1) disarm release");
	STEP(u, "resume:1(timeout 1) resume:2(timeout 1) reply-refused:Freeze(timeout 1)",
	     EVENT_RELEASED);
	assert_idle_again(u);
}

static void test_overdue_once_committed(void **state)
{
	_cleanup_(update_freep) struct update *u = with_two();

	go_committed(u);
	STEP(u, "arm:freeze freeze:1 freeze:2", EVENT_FREEZE);
	OVERDUE(u, 1, "log-loss:1(timeout 1)");
	OVERDUE(u, 2, "leave-behind:2(timeout 2) disarm record");
}

static void test_more_time(void **state)
{
	_cleanup_(update_freep) struct update *u = with_two();

	WRONG(u, -EBUSY, EVENT_EXTEND, .participant = 1, .phase = PHASE_PREPARE);
	STEP(u, "check", EVENT_PREPARE);
	WRONG(u, -EBUSY, EVENT_EXTEND, .participant = 1, .phase = PHASE_PREPARE);
	STEP(u, "arm:prepare prepare:1 prepare:2", EVENT_CHECKED);
	WRONG(u, -EBUSY, EVENT_EXTEND, .participant = 1, .phase = PHASE_FREEZE);
	WRONG(u, -EINVAL, EVENT_EXTEND, .participant = 1, .phase = _PHASE_MAX);
	WRONG(u, -ENOENT, EVENT_EXTEND, .participant = 3, .phase = PHASE_PREPARE);
	EXTEND(u, 1, PHASE_PREPARE);
	WRONG(u, -EALREADY, EVENT_EXTEND, .participant = 1, .phase = PHASE_PREPARE);
	ACCEPT(u, 2, PHASE_PREPARE, "");
	WRONG(u, -EBUSY, EVENT_EXTEND, .participant = 2, .phase = PHASE_PREPARE);
	ACCEPT(u, 1, PHASE_PREPARE, "disarm check");
	STEP(u, "preserve", EVENT_CHECKED);
	STEP(u, "arm:stage reply-prepared", EVENT_PRESERVED);
	STEP(u, "disarm stage reply-staged", EVENT_STAGED);
	STEP(u, "arm:freeze freeze:1 freeze:2", EVENT_FREEZE);
	/* Once in each phase. */
	EXTEND(u, 1, PHASE_FREEZE);
	WRONG(u, -EALREADY, EVENT_EXTEND, .participant = 1, .phase = PHASE_FREEZE);
	/* Its own time is longer, not without end. */
	OVERDUE(u, 1, "log-abort(timeout 1) disarm release");
}

/* The operator's bound is the last word. */
static void test_no_more_time(void **state)
{
	_cleanup_(update_freep) struct update *u = with_two();

	go_freezing(u);
	EXTEND(u, 1, PHASE_FREEZE);
	EXTEND(u, 2, PHASE_FREEZE);
	STEP(u, "log-abort(timeout 1) release", EVENT_DEADLINE);
	STEP(u, "resume:1(timeout 1) resume:2(timeout 1) reply-refused:Freeze(timeout 1)",
	     EVENT_RELEASED);
	assert_idle_again(u);
}

/* Nobody waits for a newcomer's answer when all others have come. */
static void test_no_more_time_for_newcomers(void **state)
{
	_cleanup_(update_freep) struct update *u = with_two();

	go_frozen(u);
	JOIN(u, 3, true, "freeze:3");
	WRONG(u, -EBUSY, EVENT_EXTEND, .participant = 3, .phase = PHASE_FREEZE);
	WRONG(u, -EBUSY, EVENT_OVERDUE, .participant = 3);
	ACCEPT(u, 3, PHASE_FREEZE, "");
}

static const struct order first = {.owner = "first", .before = NAMES("second")},
			  second = {.owner = "second"},
			  third = {.owner = "third", .after = NAMES("absent", "second")};

static const struct order late = {.owner = "late", .before = NAMES("third")},
			  later = {.owner = "later", .after = NAMES("third")};
static const struct order back = {
	.owner = "back", .before = NAMES("first"), .after = NAMES("third")};

/* Joined in the wrong order, and none is told before its turn; the one in the middle is optional.
 */
static struct update *freezing_in_order(enum update_event_kind how)
{
	struct update *u = update_new();

	assert_non_null(u);
	JOIN_ORDERED(u, 3, true, &third);
	JOIN_ORDERED(u, 2, false, &second);
	JOIN_ORDERED(u, 1, true, &first);
	STEP(u, "check", EVENT_PREPARE);
	STEP(u, "arm:prepare prepare:3 prepare:2 prepare:1", EVENT_CHECKED);
	ACCEPT(u, 3, PHASE_PREPARE, "");
	ACCEPT(u, 2, PHASE_PREPARE, "");
	ACCEPT(u, 1, PHASE_PREPARE, "disarm check");
	STEP(u, "preserve", EVENT_CHECKED);
	STEP(u, "arm:stage reply-prepared", EVENT_PRESERVED);
	STEP(u, "disarm stage reply-staged", EVENT_STAGED);
	if (how == EVENT_COMMIT) {
		STEP(u, "committed:3 committed:2 committed:1 record", EVENT_COMMIT);
		STEP(u, "reply-committed", EVENT_RECORDED);
	}
	STEP(u, "arm:freeze freeze:1", EVENT_FREEZE);
	assert_int_equal(update_find(u, 3)->answer, ANSWER_WAITING);
	assert_int_equal(update_find(u, 3)->waits_for, 2);
	assert_int_equal(update_find(u, 2)->waits_for, 1);
	return u;
}

static void test_order(void **state)
{
	_cleanup_(update_freep) struct update *u = freezing_in_order(EVENT_FREEZE);

	WRONG(u, -EBUSY, EVENT_ACCEPT, .participant = 2, .phase = PHASE_FREEZE);
	WRONG(u, -EBUSY, EVENT_EXTEND, .participant = 3, .phase = PHASE_FREEZE);
	WRONG(u, -EBUSY, EVENT_OVERDUE, .participant = 3);
	ACCEPT(u, 1, PHASE_FREEZE, "freeze:2");
	ACCEPT(u, 2, PHASE_FREEZE, "freeze:3");
	ACCEPT(u, 3, PHASE_FREEZE, "disarm record");
	STEP(u, "arm:frozen reply-frozen", EVENT_RECORDED);
}

static void test_order_when_one_is_left_behind(void **state)
{
	_cleanup_(update_freep) struct update *u = freezing_in_order(EVENT_FREEZE);

	ACCEPT(u, 1, PHASE_FREEZE, "freeze:2");
	OVERDUE(u, 2, "leave-behind:2(timeout 2) freeze:3");
	ACCEPT(u, 3, PHASE_FREEZE, "disarm record");
}

static void test_order_when_one_leaves(void **state)
{
	_cleanup_(update_freep) struct update *u = freezing_in_order(EVENT_FREEZE);

	/* It has not been told: nobody waits for it, and nothing is owed. */
	STEP(u, "freeze:3", EVENT_LEAVE, .participant = 2);
	ACCEPT(u, 3, PHASE_FREEZE, "");
	ACCEPT(u, 1, PHASE_FREEZE, "disarm record");
}

static void test_order_of_newcomers(void **state)
{
	_cleanup_(update_freep) struct update *u = freezing_in_order(EVENT_FREEZE);

	STEP(u, "freeze:4", EVENT_JOIN, .participant = 4, .required = true, .order = &late);
	JOIN_ORDERED(u, 5, true, &later);
	ACCEPT(u, 1, PHASE_FREEZE, "freeze:2");
	ACCEPT(u, 2, PHASE_FREEZE, "");
	ACCEPT(u, 4, PHASE_FREEZE, "freeze:3");
	ACCEPT(u, 3, PHASE_FREEZE, "freeze:5");
	ACCEPT(u, 5, PHASE_FREEZE, "disarm record");
	STEP(u, "arm:frozen reply-frozen", EVENT_RECORDED);
	STEP(u, "freeze:6", EVENT_JOIN, .participant = 6, .required = true, .order = &later);
}

static void test_order_takes_too_long(void **state)
{
	_cleanup_(update_freep) struct update *u = freezing_in_order(EVENT_FREEZE);

	/* Whose fault it is comes first. */
	STEP(u, "log-abort(timeout 1) release", EVENT_DEADLINE);
	STEP(u,
	     "resume:3(timeout 1) resume:2(timeout 1) resume:1(timeout 1) "
	     "reply-refused:Freeze(timeout 1)",
	     EVENT_RELEASED);
	assert_idle_again(u);
}

/* Without the order nobody knows what its memory is worth. */
static void test_optional_one_takes_too_long(void **state)
{
	_cleanup_(update_freep) struct update *u = freezing_in_order(EVENT_FREEZE);

	ACCEPT(u, 1, PHASE_FREEZE, "freeze:2");
	STEP(u, "leave-behind:2(timeout 2) log-abort(timeout unasked 3) release", EVENT_DEADLINE);
}

static void test_order_once_committed(void **state)
{
	_cleanup_(update_freep) struct update *u = freezing_in_order(EVENT_COMMIT);

	/* All are told to stop, whatever the order. */
	STEP(u,
	     "log-loss:1(timeout 1) freeze:3 log-loss:3(timeout unasked 3) freeze:2 "
	     "leave-behind:2(timeout unasked 2) record",
	     EVENT_DEADLINE);
}

static void test_cycle(void **state)
{
	_cleanup_(update_freep) struct update *u = update_new();

	assert_non_null(u);
	JOIN_ORDERED(u, 1, true, &first);
	JOIN_ORDERED(u, 3, true, &third);
	WRONG(u, -ELOOP, EVENT_JOIN, .participant = 4, .order = &back);
	assert_null(update_find(u, 4));
	STEP(u, "", EVENT_LEAVE, .participant = 1);
	JOIN_ORDERED(u, 4, true, &back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overdue),
		cmocka_unit_test(test_overdue_once_committed),
		cmocka_unit_test(test_more_time),
		cmocka_unit_test(test_no_more_time),
		cmocka_unit_test(test_no_more_time_for_newcomers),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_order_when_one_is_left_behind),
		cmocka_unit_test(test_order_when_one_leaves),
		cmocka_unit_test(test_order_of_newcomers),
		cmocka_unit_test(test_order_takes_too_long),
		cmocka_unit_test(test_optional_one_takes_too_long),
		cmocka_unit_test(test_order_once_committed),
		cmocka_unit_test(test_cycle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
