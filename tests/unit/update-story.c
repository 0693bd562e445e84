/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/update-story.h"

static const char *const action_names[_ACTION_MAX] = {
	[ACTION_CHECK] = "check",
	[ACTION_PRESERVE] = "preserve",
	[ACTION_PRESERVE_LATE] = "preserve-late",
	[ACTION_RECORD] = "record",
	[ACTION_RELEASE] = "release",
	[ACTION_CANCEL_WORK] = "cancel-work",
	[ACTION_TELL_PREPARE] = "prepare",
	[ACTION_TELL_FREEZE] = "freeze",
	[ACTION_TELL_RESUME] = "resume",
	[ACTION_TELL_COMMITTED] = "committed",
	[ACTION_LEAVE_BEHIND] = "leave-behind",
	[ACTION_ARM_DEADLINE] = "arm",
	[ACTION_DISARM_DEADLINE] = "disarm",
	[ACTION_STAGE] = "stage",
	[ACTION_LOG_ABORT] = "log-abort",
	[ACTION_LOG_LOSS] = "log-loss",
	[ACTION_REPLY_PREPARED] = "reply-prepared",
	[ACTION_REPLY_STAGED] = "reply-staged",
	[ACTION_REPLY_FROZEN] = "reply-frozen",
	[ACTION_REPLY_COMMITTED] = "reply-committed",
	[ACTION_REPLY_REFUSED] = "reply-refused",
	[ACTION_REPLY_ABORTED] = "reply-aborted",
};

static const char *const deadline_names[_DEADLINE_MAX] = {
	[DEADLINE_PREPARE] = ":prepare",
	[DEADLINE_STAGE] = ":stage",
	[DEADLINE_FREEZE] = ":freeze",
	[DEADLINE_FROZEN] = ":frozen",
};

static const char *const call_names[_CALL_MAX] = {
	[CALL_PREPARE] = ":Prepare",
	[CALL_STAGED] = ":Staged",
	[CALL_FREEZE] = ":Freeze",
	[CALL_COMMIT] = ":Commit",
};

/* An action's name, then what comes with it: "arm:freeze freeze:7 log-abort(timeout 7)". */
static void print_action(FILE *f, const struct update_action *action)
{
	fputs(action_names[action->kind], f);
	if (action->deadline != DEADLINE_NONE)
		fputs(deadline_names[action->deadline], f);
	if (action->call != CALL_NONE)
		fputs(call_names[action->call], f);
	if (action->participant != 0)
		fprintf(f, ":%u", action->participant);
	if (action->cause.refusal != REFUSAL_NONE) {
		fprintf(f, "(%s", update_refusal_to_string(action->cause.refusal));
		if (action->cause.participant != 0)
			fprintf(f, "%s %u", action->cause.unasked ? " unasked" : "",
				action->cause.participant);
		fputc(')', f);
	}
}

void assert_next_actions(struct update *u, const char *expected)
{
	_cleanup_free_ char *text = NULL;
	struct update_action action;
	const char *space = "";
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	while (update_next(u, &action)) {
		fputs(space, f);
		print_action(f, &action);
		space = " ";
	}
	fclose(f);
	assert_string_equal(text, expected);
}

struct update *with_two(void)
{
	struct update *u = update_new();

	assert_non_null(u);
	JOIN(u, 1, true, "");
	JOIN(u, 2, false, "");
	return u;
}

void go_preserving(struct update *u)
{
	STEP(u, "check", EVENT_PREPARE);
	STEP(u, "arm:prepare prepare:1 prepare:2", EVENT_CHECKED);
	ACCEPT(u, 1, PHASE_PREPARE, "");
	ACCEPT(u, 2, PHASE_PREPARE, "disarm check");
	STEP(u, "preserve", EVENT_CHECKED);
}

void go_prepared(struct update *u)
{
	go_preserving(u);
	STEP(u, "arm:stage reply-prepared", EVENT_PRESERVED);
}

void go_staged(struct update *u)
{
	go_prepared(u);
	STEP(u, "disarm stage reply-staged", EVENT_STAGED);
}

void go_freezing(struct update *u)
{
	go_staged(u);
	STEP(u, "arm:freeze freeze:1 freeze:2", EVENT_FREEZE);
}

void go_frozen(struct update *u)
{
	go_freezing(u);
	ACCEPT(u, 2, PHASE_FREEZE, "");
	ACCEPT(u, 1, PHASE_FREEZE, "disarm record");
	STEP(u, "arm:frozen reply-frozen", EVENT_RECORDED);
	assert_int_equal(u->state, UPDATE_FROZEN);
}

void go_committed(struct update *u)
{
	go_staged(u);
	STEP(u, "committed:1 committed:2 record", EVENT_COMMIT);
	assert_int_equal(u->state, UPDATE_COMMITTED);
	/* Only with the ledger on disk may the shutdown begin. */
	STEP(u, "reply-committed", EVENT_RECORDED);
}

void assert_idle_again(struct update *u)
{
	assert_int_equal(u->state, UPDATE_IDLE);
	assert_false(u->operator_attached);
	/* As good as new: the next update goes through. */
	STEP(u, "check", EVENT_PREPARE);
}
