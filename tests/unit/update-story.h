/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_TESTS_UNIT_UPDATE_STORY_H
#define KHO_TESTS_UNIT_UPDATE_STORY_H

#include "kho/core/update.h"

/* Updates told as stories: an event happens, and these are the actions, as in
 * "arm:freeze freeze:7 log-abort(timeout 7)".
 */

/* All actions that are queued, in order, and no more; takes them. */
void assert_next_actions(struct update *u, const char *expected);

#define FEED(u, ...) update_feed(u, &(struct update_event){.kind = __VA_ARGS__})
/* The event happens, and brings these actions. */
#define STEP(u, actions, ...)                                                                      \
	do {                                                                                       \
		assert_int_equal(FEED(u, __VA_ARGS__), 0);                                         \
		assert_next_actions(u, actions);                                                   \
	} while (0)
/* The event can't happen, and nothing has changed. */
#define WRONG(u, error, ...)                                                                       \
	do {                                                                                       \
		enum update_state _state = (u)->state;                                             \
		assert_int_equal(FEED(u, __VA_ARGS__), error);                                     \
		assert_next_actions(u, "");                                                        \
		assert_int_equal((u)->state, _state);                                              \
	} while (0)

#define JOIN(u, id, needed, actions)                                                               \
	STEP(u, actions, EVENT_JOIN, .participant = id, .required = needed)
#define ACCEPT(u, id, what, actions)                                                               \
	STEP(u, actions, EVENT_ACCEPT, .participant = id, .phase = what)
#define REFUSE(u, id, what, actions)                                                               \
	STEP(u, actions, EVENT_REFUSE, .participant = id, .phase = what)

/* Participant 1 is required, 2 is optional; nothing has happened yet. */
struct update *with_two(void);
/* On from there. */
void go_preserving(struct update *u);
void go_prepared(struct update *u);
void go_staged(struct update *u);
void go_freezing(struct update *u);
void go_frozen(struct update *u);
void go_committed(struct update *u);

void assert_idle_again(struct update *u);

#endif
