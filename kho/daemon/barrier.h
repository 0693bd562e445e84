/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_BARRIER_H
#define KHO_DAEMON_BARRIER_H

#include "kho/daemon/peers.h"

/* What participants are told and how long they have. The operator's bound is for all of a phase
 * together; a participant that does not ask for more has half of it, from when it is told.
 */

/* A phase begins in which participants answer within usec. */
void barrier_begin(struct updater *u, uint64_t usec);

/* Tells a participant prepare, freeze or resume; none that is gone. */
void barrier_tell(struct updater *u, uint32_t participant, const char *event);

/* Gives the participant up to usec microseconds from now to answer, within the bound and never
 * less than it had; *ret_usec is what it has. reason: for the operator; NULL: none was given.
 * Errors: update_feed's of EXTEND.
 */
int barrier_extend(struct peer *peer, enum update_phase phase, uint64_t usec, const char *reason,
		   uint64_t *ret_usec);

/* order_find_cycle() in what the participants say and this one would. */
int barrier_find_cycle(const struct peer *peer, const struct order *order, char **ret);

/* Whom a participant that is not told yet has to wait for: "a.service, b.service"; once the time is
 * over, those that took it. NULL: nobody, or out of memory.
 */
char *barrier_waits_for(const struct manager *m, uint32_t participant);

/* An array of io.kho.Manager.Participant; open: only of those that have not answered yet. */
int barrier_participants(const struct manager *m, bool open, sd_json_variant **ret);

#endif
