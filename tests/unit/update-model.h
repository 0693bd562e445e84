/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_TESTS_UNIT_UPDATE_MODEL_H
#define KHO_TESTS_UNIT_UPDATE_MODEL_H

#include <stdint.h>

#include "kho/core/update.h"

#define PARTICIPANTS 3
/* Participants are numbered from 1; the second is optional. */
#define IS_REQUIRED(id) ((id) != 2)

#define CHECK_THAT(condition)                                                                      \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fail_msg("%s:%d: %s", __FILE__, __LINE__, #condition);                     \
	} while (0)

/* What the actions and the events say so far; bytes, so that it can be compared as memory. */
struct model {
	uint8_t work;	  /* enum update_work in flight */
	uint8_t deadline; /* enum update_deadline armed */
	uint8_t call;	  /* enum update_call that waits */
	uint8_t owned;	  /* by an operator's connection */
	uint8_t abort_call;
	uint8_t preserve_begun, aborted, cancelled, release_begun, released, committed;
	uint8_t called_off;  /* the shutdown that was committed to, by this event */
	uint8_t frozen;	     /* everybody is told, or was */
	uint8_t recorded;    /* what was written down last is on disk */
	uint8_t final;	     /* and is the last there is */
	uint8_t uncounted;   /* a region that no CHECK has seen yet */
	uint8_t unpreserved; /* a region that no worker has been given yet */
	uint8_t unstaged;    /* sessions that are in no fd store yet */
	/* By participant; [0] is not used. */
	uint8_t joined[PARTICIPANTS + 1];
	uint8_t told_prepare[PARTICIPANTS + 1], told_freeze[PARTICIPANTS + 1],
		told_committed[PARTICIPANTS + 1]; /* resume is owed for each */
	uint8_t open[PARTICIPANTS + 1];		  /* asked, has not answered */
	uint8_t awaited[PARTICIPANTS + 1];	  /* and was asked while a deadline ran */
	uint8_t extended[PARTICIPANTS + 1];	  /* and has asked for more time */
	uint8_t vetoed[PARTICIPANTS + 1];	  /* refused, died or kept silent */
};

/* What each participant says of the order; [0] is not used, NULL: nothing. */
typedef const struct order *const orders_t[PARTICIPANTS + 1];

/* Each fails the test if what it is told breaks a promise. */
void model_event(struct model *m, const struct update_event *event);
void model_action(struct model *m, orders_t orders, const struct update_action *action);
/* After every event and its actions; forgets what need not be remembered. */
void model_settle(struct model *m, orders_t orders, const struct update *u);

#endif
