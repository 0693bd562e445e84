/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_ARRIVAL_H
#define KHO_DAEMON_ARRIVAL_H

#include "kho/daemon/startup.h"

/* Finds out whether an update has come to this kernel. *ret, the caller's, is NULL if none has;
 * else the ledger, or, where that is missing, damaged or of another update and the kernel shows
 * that an update did come, a handover with nothing but its id and a line that says so in its
 * problems. A ledger that can't be read, with nothing to take its place, becomes the report.
 * Errors: -ENOMEM. Blocks.
 */
int arrival_find(struct manager *m, struct inheritance *in, struct handover **ret);

/* Lets go of what showed that an update has come. Call it when the registry knows. Blocks. */
void arrival_done(struct inheritance *in);

#endif
