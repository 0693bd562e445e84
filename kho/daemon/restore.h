/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_RESTORE_H
#define KHO_DAEMON_RESTORE_H

#include "kho/daemon/incoming.h"
#include "kho/daemon/manager.h"

/* Called when nothing is left to restore, or when it is known that it has to wait. */
typedef void (*restore_ready_fn)(struct manager *m);

/* Restores what the registry's tree, which is the ledger's, says; owns incoming from here. */
int restore_start(struct manager *m, struct incoming *incoming, restore_ready_fn ready);

/* What stands in the way, with the way out; NULL: nothing. */
const char *restore_problem(const struct manager *m);

struct restorer *restorer_free(struct restorer *restorer);

#endif
