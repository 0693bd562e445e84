/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an update does, told as stories; test-update-explore.c goes through all of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/update-story.h"

static void test_execute(void **state)
{
	_cleanup_(update_freep) struct update *u = with_two();

	go_frozen(u); /* reboot(2) is called, and nobody is there to hear more */
}

static void test_shut_down(void **state)
{
	_cleanup_(update_freep) struct update *u = with_two();

	go_committed(u);
	/* The first is stopped, and leaves something behind; the other one runs to the end. */
	STEP(u, "preserve-late", EVENT_REGION);
	STEP(u, "", EVENT_LEAVE, .participant = 1);
	STEP(u, "stage record", EVENT_LATE_PRESERVED);
	STEP(u, "", EVENT_RECORDED);
	STEP(u, "arm:freeze freeze:2", EVENT_FREEZE);
	ACCEPT(u, 2, PHASE_FREEZE, "disarm record");
	WRONG(u, -EBUSY, EVENT_REGION);
	STEP(u, "reply-frozen", EVENT_RECORDED);
	assert_int_equal(u->state, UPDATE_COMMITTED);
	/* Who asks again need not wait. */
	STEP(u, "reply-frozen", EVENT_FREEZE);
}

static void test_commit_is_refused(void **state)
{
	_cleanup_(update_freep) struct update *u = with_two();

	go_staged(u);
	STEP(u, "committed:1 committed:2 record", EVENT_COMMIT);
	STEP(u, "log-abort(record) release", EVENT_RECORD_FAILED);
	STEP(u, "resume:1(record) resume:2(record) reply-refused:Commit(record)", EVENT_RELEASED);
	assert_idle_again(u);

	/* Who commits has begun nothing before the reply. */
	u = update_free(u);
	u = with_two();
	go_staged(u);
	STEP(u, "committed:1 committed:2 record", EVENT_COMMIT);
	STEP(u, "log-abort(interrupted) cancel-work", EVENT_OPERATOR_GONE);
	STEP(u, "release", EVENT_RECORDED);
	STEP(u, "resume:1(interrupted) resume:2(interrupted)", EVENT_RELEASED);
	assert_idle_again(u);

	/* Nor if it can't begin. */
	u = update_free(u);
	u = with_two();
	go_committed(u);
	WRONG(u, -EBUSY, EVENT_ABORT);
	STEP(u, "log-abort(interrupted) release", EVENT_ABORT, .required = true);
	STEP(u, "resume:1(interrupted) resume:2(interrupted) reply-aborted", EVENT_RELEASED);
	assert_idle_again(u);

	/* Or is called off. */
	u = update_free(u);
	u = with_two();
	go_committed(u);
	STEP(u, "log-abort(kernel) release", EVENT_KEXEC_FAILED);
	STEP(u, "resume:1(kernel) resume:2(kernel)", EVENT_RELEASED);
	assert_idle_again(u);
}

/* Nobody was asked, and nobody can say no: what can be kept is. */
static void test_shutdown_unprepared(void **state)
{
	_cleanup_(update_freep) struct update *u = with_two();

	STEP(u, "committed:1 committed:2 preserve-late", EVENT_SHUTDOWN);
	STEP(u, "log-loss(memory) stage record", EVENT_LATE_FAILED, .required = true,
	     .refusal = REFUSAL_MEMORY);
	STEP(u, "log-loss(record)", EVENT_RECORD_FAILED);
	STEP(u, "arm:freeze freeze:1 freeze:2", EVENT_FREEZE);
	WRONG(u, -EBUSY, EVENT_SHUTDOWN);

	u = update_free(u);
	u = with_two();
	go_staged(u);
	STEP(u, "committed:1 committed:2 record", EVENT_SHUTDOWN);
	WRONG(u, -EBUSY, EVENT_ABORT);
	STEP(u, "", EVENT_RECORDED);
	STEP(u, "", EVENT_LEAVE, .participant = 1);
	STEP(u, "", EVENT_LEAVE, .participant = 2);
	STEP(u, "record", EVENT_FREEZE);
	STEP(u, "reply-frozen", EVENT_RECORDED);
}

static void test_nobody_watches(void **state)
{
	_cleanup_(update_freep) struct update *u = update_new();

	assert_non_null(u);
	STEP(u, "check", EVENT_PREPARE);
	STEP(u, "check", EVENT_CHECKED);
	STEP(u, "preserve", EVENT_CHECKED);
	STEP(u, "arm:stage reply-prepared", EVENT_PRESERVED);
	STEP(u, "disarm stage reply-staged", EVENT_STAGED);
	STEP(u, "record", EVENT_FREEZE);
	STEP(u, "arm:frozen reply-frozen", EVENT_RECORDED);
}

static void test_too_much_to_keep(void **state)
{
	_cleanup_(update_freep) struct update *u = with_two();

	STEP(u, "check", EVENT_PREPARE);
	STEP(u, "log-abort(memory) release", EVENT_CHECK_FAILED, .refusal = REFUSAL_MEMORY);
	STEP(u, "reply-refused:Prepare(memory)", EVENT_RELEASED);
	assert_idle_again(u);
}

static void test_refusal_of_required(void **state)
{
	_cleanup_(update_freep) struct update *u = with_two();

	STEP(u, "check", EVENT_PREPARE);
	STEP(u, "arm:prepare prepare:1 prepare:2", EVENT_CHECKED);
	REFUSE(u, 1, PHASE_PREPARE, "log-abort(participant 1) disarm release");
	WRONG(u, -EBUSY, EVENT_ACCEPT, .participant = 2, .phase = PHASE_PREPARE);
	STEP(u,
	     "resume:1(participant 1) resume:2(participant 1) reply-refused:Prepare(participant 1)",
	     EVENT_RELEASED);
	assert_idle_again(u);
}

static void test_refusal_of_optional(void **state)
{
	_cleanup_(update_freep) struct update *u = with_two();

	STEP(u, "check", EVENT_PREPARE);
	STEP(u, "arm:prepare prepare:1 prepare:2", EVENT_CHECKED);
	REFUSE(u, 2, PHASE_PREPARE, "leave-behind:2(participant 2)");
	WRONG(u, -EBUSY, EVENT_ACCEPT, .participant = 2, .phase = PHASE_PREPARE);
	ACCEPT(u, 1, PHASE_PREPARE, "disarm check");
	assert_int_equal(update_find(u, 2)->answer, ANSWER_REFUSED);
}

static void test_silence(void **state)
{
	_cleanup_(update_freep) struct update *u = with_two();

	STEP(u, "check", EVENT_PREPARE);
	STEP(u, "arm:prepare prepare:1 prepare:2", EVENT_CHECKED);
	ACCEPT(u, 1, PHASE_PREPARE, "");
	STEP(u, "leave-behind:2(timeout 2) check", EVENT_DEADLINE);
	assert_int_equal(update_find(u, 2)->answer, ANSWER_LEFT_BEHIND);
	STEP(u, "preserve", EVENT_CHECKED);
	STEP(u, "arm:stage reply-prepared", EVENT_PRESERVED);
	STEP(u, "disarm stage reply-staged", EVENT_STAGED);

	/* Left behind or not, it is told to stop. Its late answer to prepare counts for nothing. */
	STEP(u, "arm:freeze freeze:1 freeze:2", EVENT_FREEZE);
	WRONG(u, -EBUSY, EVENT_ACCEPT, .participant = 2, .phase = PHASE_PREPARE);
	ACCEPT(u, 2, PHASE_FREEZE, "");
	STEP(u, "log-abort(timeout 1) release", EVENT_DEADLINE);
	STEP(u, "resume:1(timeout 1) resume:2(timeout 1) reply-refused:Freeze(timeout 1)",
	     EVENT_RELEASED);
	assert_idle_again(u);
}

static void test_death(void **state)
{
	_cleanup_(update_freep) struct update *u = with_two();

	STEP(u, "check", EVENT_PREPARE);
	STEP(u, "arm:prepare prepare:1 prepare:2", EVENT_CHECKED);
	STEP(u, "leave-behind:2(participant 2)", EVENT_LEAVE, .participant = 2);
	STEP(u, "log-abort(participant 1) disarm release", EVENT_LEAVE, .participant = 1);
	STEP(u, "reply-refused:Prepare(participant 1)", EVENT_RELEASED);
	assert_idle_again(u);
}

static void test_death_after_accepting(void **state)
{
	_cleanup_(update_freep) struct update *u = with_two();

	/* Its regions are in custody. */
	go_freezing(u);
	ACCEPT(u, 1, PHASE_FREEZE, "");
	STEP(u, "", EVENT_LEAVE, .participant = 1);
	ACCEPT(u, 2, PHASE_FREEZE, "disarm record");
}

static void test_abort_waits_for_worker(void **state)
{
	_cleanup_(update_freep) struct update *u = with_two();

	go_preserving(u);
	STEP(u, "log-abort(interrupted) cancel-work", EVENT_ABORT);
	STEP(u, "", EVENT_ABORT);
	WRONG(u, -ENOENT, EVENT_RELEASED);
	STEP(u, "release", EVENT_PRESERVED);
	WRONG(u, -EBUSY, EVENT_PREPARE);
	STEP(u,
	     "resume:1(interrupted) resume:2(interrupted) reply-refused:Prepare(interrupted) "
	     "reply-aborted",
	     EVENT_RELEASED);
	assert_idle_again(u);
}

static void test_operator_gone(void **state)
{
	_cleanup_(update_freep) struct update *u = with_two();

	go_prepared(u);
	STEP(u, "log-abort(interrupted) disarm release", EVENT_OPERATOR_GONE);
	STEP(u, "resume:1(interrupted) resume:2(interrupted)", EVENT_RELEASED);

	/* Staged, it is nobody's, and keeps. */
	go_staged(u);
	WRONG(u, -ENOENT, EVENT_OPERATOR_GONE);
	WRONG(u, -ENOENT, EVENT_DEADLINE);
	STEP(u, "log-abort(interrupted) release", EVENT_ABORT);
	STEP(u, "resume:1(interrupted) resume:2(interrupted) reply-aborted", EVENT_RELEASED);
	assert_idle_again(u);
}

static void test_late_failures(void **state)
{
	_cleanup_(update_freep) struct update *u = with_two();

	go_prepared(u);
	STEP(u, "log-abort(kernel) disarm release", EVENT_NOT_STAGED);
	STEP(u, "resume:1(kernel) resume:2(kernel) reply-refused:Staged(kernel)", EVENT_RELEASED);

	go_freezing(u);
	ACCEPT(u, 1, PHASE_FREEZE, "");
	ACCEPT(u, 2, PHASE_FREEZE, "disarm record");
	STEP(u, "log-abort(record) release", EVENT_RECORD_FAILED);
	STEP(u, "resume:1(record) resume:2(record) reply-refused:Freeze(record)", EVENT_RELEASED);

	go_frozen(u);
	STEP(u, "log-abort(kernel) disarm release", EVENT_KEXEC_FAILED);
	STEP(u, "resume:1(kernel) resume:2(kernel)", EVENT_RELEASED);

	go_frozen(u);
	STEP(u, "log-abort(timeout) release", EVENT_DEADLINE);
	STEP(u, "resume:1(timeout) resume:2(timeout)", EVENT_RELEASED);
	assert_idle_again(u);
}

static void test_nothing_is_undone_once_committed(void **state)
{
	_cleanup_(update_freep) struct update *u = with_two();

	go_committed(u);
	WRONG(u, -EBUSY, EVENT_ABORT);
	WRONG(u, -EBUSY, EVENT_PREPARE);
	STEP(u, "committed:3", EVENT_JOIN, .participant = 3, .required = true);
	STEP(u, "arm:freeze freeze:1 freeze:2 freeze:3", EVENT_FREEZE);
	REFUSE(u, 1, PHASE_FREEZE, "log-loss:1(participant 1)");
	STEP(u, "preserve-late", EVENT_REGION);
	STEP(u, "leave-behind:2(timeout 2) log-loss:3(timeout 3)", EVENT_DEADLINE);
	STEP(u, "log-loss(memory) stage record", EVENT_LATE_FAILED, .required = true,
	     .refusal = REFUSAL_MEMORY);
	STEP(u, "log-loss(record) reply-frozen", EVENT_RECORD_FAILED);
	STEP(u, "freeze:4", EVENT_JOIN, .participant = 4, .required = true);
	STEP(u, "log-loss:4(participant 4)", EVENT_LEAVE, .participant = 4);
	assert_int_equal(u->state, UPDATE_COMMITTED);

	/* Who freezes need not wait. */
	u = update_free(u);
	u = with_two();
	go_committed(u);
	STEP(u, "arm:freeze freeze:1 freeze:2", EVENT_FREEZE);
	STEP(u, "", EVENT_OPERATOR_GONE);
	ACCEPT(u, 2, PHASE_FREEZE, "");
	STEP(u, "log-loss:1(timeout 1) record", EVENT_DEADLINE);
	STEP(u, "", EVENT_RECORDED);
}

static void test_late_regions(void **state)
{
	_cleanup_(update_freep) struct update *u = with_two();

	STEP(u, "", EVENT_REGION);
	STEP(u, "check", EVENT_PREPARE);
	STEP(u, "arm:prepare prepare:1 prepare:2", EVENT_CHECKED);
	STEP(u, "", EVENT_REGION);
	ACCEPT(u, 1, PHASE_PREPARE, "");
	ACCEPT(u, 2, PHASE_PREPARE, "disarm check");
	/* Nothing is preserved that the arithmetic has not seen. */
	STEP(u, "", EVENT_REGION);
	STEP(u, "check", EVENT_CHECKED);
	STEP(u, "preserve", EVENT_CHECKED);
	STEP(u, "", EVENT_REGION);
	STEP(u, "preserve-late", EVENT_PRESERVED);
	STEP(u, "arm:stage reply-prepared", EVENT_LATE_PRESERVED);

	STEP(u, "preserve-late", EVENT_REGION);
	STEP(u, "disarm stage reply-staged", EVENT_STAGED);
	STEP(u, "", EVENT_REGION);
	STEP(u, "stage preserve-late", EVENT_LATE_PRESERVED);
	STEP(u, "arm:freeze freeze:1 freeze:2", EVENT_FREEZE);
	ACCEPT(u, 1, PHASE_FREEZE, "");
	ACCEPT(u, 2, PHASE_FREEZE, "disarm");
	/* An optional one that does not go is left behind. */
	STEP(u, "stage record", EVENT_LATE_FAILED, .required = false);
	WRONG(u, -EBUSY, EVENT_REGION);
	STEP(u, "arm:frozen reply-frozen", EVENT_RECORDED);
	WRONG(u, -EBUSY, EVENT_REGION);
	STEP(u, "log-abort(interrupted) disarm release", EVENT_OPERATOR_GONE);
	STEP(u, "", EVENT_REGION);
}

static void test_late_region_not_kept(void **state)
{
	_cleanup_(update_freep) struct update *u = with_two();

	go_staged(u);
	STEP(u, "preserve-late", EVENT_REGION);
	STEP(u, "log-abort(region) release", EVENT_LATE_FAILED, .required = true,
	     .refusal = REFUSAL_REGION);
	STEP(u, "resume:1(region) resume:2(region)", EVENT_RELEASED);
	assert_idle_again(u);
}

static void test_newcomers(void **state)
{
	_cleanup_(update_freep) struct update *u = with_two();

	STEP(u, "check", EVENT_PREPARE);
	JOIN(u, 3, true, "");
	STEP(u, "arm:prepare prepare:1 prepare:2 prepare:3", EVENT_CHECKED);
	JOIN(u, 4, true, "prepare:4");
	ACCEPT(u, 1, PHASE_PREPARE, "");
	ACCEPT(u, 2, PHASE_PREPARE, "");
	ACCEPT(u, 3, PHASE_PREPARE, "");
	ACCEPT(u, 4, PHASE_PREPARE, "disarm check");
	JOIN(u, 5, true, "");
	STEP(u, "preserve", EVENT_CHECKED);
	STEP(u, "arm:stage reply-prepared", EVENT_PRESERVED);
	STEP(u, "disarm stage reply-staged", EVENT_STAGED);
	STEP(u, "arm:freeze freeze:1 freeze:2 freeze:3 freeze:4 freeze:5", EVENT_FREEZE);
	JOIN(u, 6, false, "freeze:6");
	for (uint32_t id = 1; id <= 5; id++)
		ACCEPT(u, id, PHASE_FREEZE, "");
	ACCEPT(u, 6, PHASE_FREEZE, "disarm record");
	STEP(u, "arm:frozen reply-frozen", EVENT_RECORDED);
	/* It may refuse as long as the kexec has not happened, but is not waited for. */
	JOIN(u, 7, true, "freeze:7");
	REFUSE(u, 7, PHASE_FREEZE, "log-abort(participant 7) disarm release");
	WRONG(u, -EEXIST, EVENT_JOIN, .participant = 7);
}

/* With late regions and newcomers in turn, one peer could hold up a shutdown for ever. */
static void test_newcomers_do_not_delay(void **state)
{
	_cleanup_(update_freep) struct update *u = with_two();

	go_committed(u);
	STEP(u, "arm:freeze freeze:1 freeze:2", EVENT_FREEZE);
	STEP(u, "preserve-late", EVENT_REGION);
	ACCEPT(u, 1, PHASE_FREEZE, "");
	ACCEPT(u, 2, PHASE_FREEZE, "disarm");
	JOIN(u, 3, true, "freeze:3");
	STEP(u, "stage record", EVENT_LATE_PRESERVED);
	ACCEPT(u, 3, PHASE_FREEZE, "");
	STEP(u, "reply-frozen", EVENT_RECORDED);
}

static void test_restoring(void **state)
{
	_cleanup_(update_freep) struct update *u = with_two();

	STEP(u, "", EVENT_RESTORE);
	assert_int_equal(u->state, UPDATE_RESTORING);
	WRONG(u, -EBUSY, EVENT_PREPARE);
	WRONG(u, -ENOENT, EVENT_ABORT);
	WRONG(u, -ENOENT, EVENT_FREEZE);
	STEP(u, "", EVENT_RESTORED);
	assert_idle_again(u);
}

static void test_daemon_came_back(void **state)
{
	static const enum update_state aborted[] = {
		UPDATE_PREPARING, UPDATE_PREPARED, UPDATE_FREEZING, UPDATE_FROZEN, UPDATE_ABORTING};

	for (size_t i = 0; i < ARRAY_SIZE(aborted); i++) {
		_cleanup_(update_freep) struct update *u = with_two();

		STEP(u, "log-abort(interrupted) release", EVENT_RECOVER, .state = aborted[i]);
		STEP(u, "", EVENT_RELEASED);
		assert_idle_again(u);
	}

	_cleanup_(update_freep) struct update *staged = with_two();

	STEP(staged, "", EVENT_RECOVER, .state = UPDATE_STAGED);
	STEP(staged, "arm:freeze freeze:1 freeze:2", EVENT_FREEZE);
	/* The ledger may not have got to the disk: again. */
	_cleanup_(update_freep) struct update *committed = update_new();

	assert_non_null(committed);
	STEP(committed, "record", EVENT_RECOVER, .state = UPDATE_COMMITTED);
	JOIN(committed, 1, true, "committed:1");
	STEP(committed, "", EVENT_RECORDED);
}

static void test_wrong_events(void **state)
{
	_cleanup_(update_freep) struct update *u = with_two();

	WRONG(u, -EINVAL, _EVENT_MAX);
	WRONG(u, -EINVAL, EVENT_ABORT, .refusal = _REFUSAL_MAX);
	WRONG(u, -EINVAL, EVENT_JOIN, .participant = 0);
	WRONG(u, -EINVAL, EVENT_ACCEPT, .participant = 1, .phase = _PHASE_MAX);
	WRONG(u, -EINVAL, EVENT_RECOVER, .state = _UPDATE_STATE_MAX);
	WRONG(u, -ENOENT, EVENT_LEAVE, .participant = 9);
	WRONG(u, -ENOENT, EVENT_ACCEPT, .participant = 9);
	WRONG(u, -EBUSY, EVENT_ACCEPT, .participant = 1);
	WRONG(u, -ENOENT, EVENT_STAGED);
	WRONG(u, -ENOENT, EVENT_CHECKED);
	go_prepared(u);
	WRONG(u, -EBUSY, EVENT_PREPARE);
	WRONG(u, -EBUSY, EVENT_FREEZE);
	WRONG(u, -EBUSY, EVENT_COMMIT);
	assert_null(update_find(u, 9));
}

/* Memory is taken when participants join, and never when an update has to be undone. */
static void test_memory_is_taken_early(void **state)
{
	_cleanup_(update_freep) struct update *u = update_new();
	struct update_action action;
	const void *actions;
	size_t n = 0;

	assert_non_null(u);
	for (uint32_t id = 1; id <= 1000; id++) {
		JOIN(u, id, false, "");
		actions = u->actions;
		STEP(u, "", EVENT_REGION);
		assert_ptr_equal(u->actions, actions);
	}
	STEP(u, "check", EVENT_PREPARE);
	assert_int_equal(FEED(u, EVENT_CHECKED), 0);
	while (update_next(u, &action))
		n++;
	assert_int_equal(n, 1001);
	assert_int_equal(FEED(u, EVENT_DEADLINE), 0);
	while (update_next(u, &action))
		n++;
	assert_int_equal(n, 2002);
	STEP(u, "log-abort(interrupted) cancel-work", EVENT_ABORT);
	STEP(u, "release", EVENT_CHECKED);
	assert_int_equal(FEED(u, EVENT_RELEASED), 0);
	while (update_next(u, &action))
		n++;
	assert_int_equal(n, 3004);
	assert_ptr_equal(u->actions, actions);
}

/* Carrying an action out may bring events at once: their actions come after the rest. */
static void test_events_from_actions(void **state)
{
	_cleanup_(update_freep) struct update *u = with_two();
	struct update_action action;

	STEP(u, "check", EVENT_PREPARE);
	assert_int_equal(FEED(u, EVENT_CHECKED), 0);
	assert_true(update_next(u, &action));
	assert_int_equal(action.kind, ACTION_ARM_DEADLINE);
	for (uint32_t id = 3; id < 1000; id++)
		assert_int_equal(FEED(u, EVENT_JOIN, .participant = id), 0);
	assert_int_equal(FEED(u, EVENT_LEAVE, .participant = 1), 0);
	for (uint32_t id = 1; id < 1000; id++) {
		assert_true(update_next(u, &action));
		assert_int_equal(action.kind, ACTION_TELL_PREPARE);
		assert_int_equal(action.participant, id);
	}
	assert_next_actions(u, "log-abort(participant 1) disarm release");
}

static void test_names(void **state)
{
	assert_string_equal(update_answer_to_string(ANSWER_LEFT_BEHIND), "left-behind");
	for (unsigned int i = 0; i < _ANSWER_MAX; i++)
		assert_non_null(update_answer_to_string(i));
	assert_null(update_answer_to_string(_ANSWER_MAX));
	assert_string_equal(update_refusal_to_string(REFUSAL_INTERRUPTED), "interrupted");
	for (unsigned int i = 0; i < _REFUSAL_MAX; i++)
		assert_non_null(update_refusal_to_string(i));
	assert_null(update_refusal_to_string(_REFUSAL_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_execute),
		cmocka_unit_test(test_shut_down),
		cmocka_unit_test(test_commit_is_refused),
		cmocka_unit_test(test_shutdown_unprepared),
		cmocka_unit_test(test_nobody_watches),
		cmocka_unit_test(test_too_much_to_keep),
		cmocka_unit_test(test_refusal_of_required),
		cmocka_unit_test(test_refusal_of_optional),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_death),
		cmocka_unit_test(test_death_after_accepting),
		cmocka_unit_test(test_abort_waits_for_worker),
		cmocka_unit_test(test_operator_gone),
		cmocka_unit_test(test_late_failures),
		cmocka_unit_test(test_nothing_is_undone_once_committed),
		cmocka_unit_test(test_late_regions),
		cmocka_unit_test(test_late_region_not_kept),
		cmocka_unit_test(test_newcomers),
		cmocka_unit_test(test_newcomers_do_not_delay),
		cmocka_unit_test(test_restoring),
		cmocka_unit_test(test_daemon_came_back),
		cmocka_unit_test(test_wrong_events),
		cmocka_unit_test(test_memory_is_taken_early),
		cmocka_unit_test(test_events_from_actions),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
