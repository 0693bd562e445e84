/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CORE_UPDATE_PRIVATE_H
#define KHO_CORE_UPDATE_PRIVATE_H

#include "kho/core/update.h"

/* The machine is two files: update.c has the states, the operator and the workers;
 * update-participants.c has who is asked, and what follows from the answers.
 */

/* update.c */

/* For all that one event brings, given so many participants. */
int update_make_room(struct update *u, size_t n_participants);
void update_emit(struct update *u, struct update_action action);
#define EMIT(u, ...) update_emit(u, (struct update_action){.kind = __VA_ARGS__})

struct update_cause update_cause_of(const struct update_event *event, enum update_refusal refusal,
				    uint32_t participant);
void update_arm(struct update *u, enum update_deadline deadline);
void update_disarm(struct update *u);
void update_abort(struct update *u, struct update_cause cause);
/* Goes on with what comes after the answers, as soon as they and the late regions are in. */
void update_go_on(struct update *u);

/* update-participants.c */

struct update_participant *participant_find(const struct update *u, uint32_t id);
int participant_joins(struct update *u, const struct update_event *event);
int participant_leaves(struct update *u, const struct update_event *event);
/* ACCEPT, REFUSE */
int participant_answers(struct update *u, const struct update_event *event);
/* EXTEND */
int participant_extends(struct update *u, const struct update_event *event);
/* OVERDUE */
int participant_is_overdue(struct update *u, const struct update_event *event);
/* Tells everybody to prepare, or to freeze. */
void participants_ask(struct update *u);
/* Nobody is asked anything: services are stopped one after the other, or frozen at the end. */
void participants_tell_committed(struct update *u);
/* Who has not answered does not get any more time. */
void participants_time_out(struct update *u, const struct update_event *event);

#endif
