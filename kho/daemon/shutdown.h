/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_SHUTDOWN_H
#define KHO_DAEMON_SHUTDOWN_H

#include "kho/daemon/manager.h"

/* The machine goes down, as logind tells early, and a unit at the end. A shutdown by kexec carries
 * what khod keeps, staged or not; every other one loses it, and that is written down before.
 */

/* kind as logind has it: kexec, reboot, poweroff, halt, soft-reboot; an unknown one means nothing.
 */
void shutdown_begins(struct manager *m, const char *kind);

/* The same, when there still is time to have a program look at the kernel that is loaded. */
void shutdown_is_announced(struct manager *m, const char *kind);

/* That program is done; problem: what it found; NULL: nothing is wrong. */
void shutdown_is_checked(struct manager *m, const char *problem);

/* What was wrong with the kernel that is loaded, for the ledger; NULL: nothing that is known. */
const char *shutdown_problem(const struct manager *m);

/* It does not happen after all. */
void shutdown_is_called_off(struct manager *m);

/* The update's state has changed: what had to wait for that may be possible now. */
void shutdown_goes_on(struct manager *m);

void shutdown_free(struct manager *m);

#endif
