/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_CLAIMS_H
#define KHO_DAEMON_CLAIMS_H

#include "kho/daemon/manager.h"

/* Whether the region came with the last update and waits for its owner. */
bool region_is_unclaimed(const struct region *region);
/* The same, if the update counts on it. */
bool region_is_missed(const struct region *region);
/* Whether its content, or all of it, did not arrive. */
bool region_is_hurt(const struct region *region);

/* To be called when a claim, or the set of regions, has changed: writes the tree before long, notes
 * the first and the last claim in the report, and answers Wait calls.
 */
void claims_changed(struct manager *m);

/* Writes down now what claims_changed() would before long. */
void claims_flush(struct manager *m);

/* Answers link when every required region that arrived is claimed, or after timeout_usec
 * (UINT64_MAX: never).
 */
int claims_wait(struct manager *m, sd_varlink *link, uint64_t timeout_usec);

/* The connection is closed: nobody waits there any more. */
void claims_forget(struct manager *m, sd_varlink *link);

void claims_free(struct manager *m);

#endif
