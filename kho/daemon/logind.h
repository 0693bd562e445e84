/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_LOGIND_H
#define KHO_DAEMON_LOGIND_H

#include "kho/daemon/manager.h"

/* logind says that the machine is about to go down, and how, and waits for who holds a delay lock.
 * khod starts before there is a bus, and works without one.
 */

/* Never fails: whatever is missing is waited for. */
void logind_follow(struct manager *m);

/* Has PID 1 start live-update-check.service, which calls back. */
int logind_start_check(struct manager *m);

/* Whether logind is there, and would say that a shutdown begins. */
bool logind_is_there(const struct manager *m);

/* khod has done what it could: the shutdown need not wait for it. */
void logind_release(struct manager *m);

void logind_free(struct manager *m);

#endif
