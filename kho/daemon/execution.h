/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_EXECUTION_H
#define KHO_DAEMON_EXECUTION_H

#include "kho/daemon/manager.h"

/*
 * The last moments of an update: kexec(8) asks whether it is still frozen, and goes by the answer
 * however late it comes to reboot(2). A process that was stopped in between would reboot without
 * what khod has released meanwhile. So from that answer on an update is undone only when that
 * process has ended.
 */

/* Name of that process's pidfd in the fd store, which outlives khod. */
#define EXECUTION_STORE_NAME "execution"

/* The caller is told the state. */
void execution_note_status(struct manager *m, sd_varlink *link);

/*
 * Ends the process that may be about to reboot, if there is one, unless it is the caller on that
 * link (NULL: nobody calls). 0: nobody will reboot; -EBUSY: the process does not end, as the kernel
 * is executing the next one.
 */
int execution_prevent(struct manager *m, sd_varlink *caller);

/* The same for a khod that ended meanwhile, which the process can't have been told of. Takes pidfd;
 * negative: there is no such process. */
void execution_recover(struct manager *m, int pidfd);

/* The update is over, or another process's. */
void execution_forget(struct updater *u);

#endif
