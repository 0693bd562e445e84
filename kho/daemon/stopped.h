/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_STOPPED_H
#define KHO_DAEMON_STOPPED_H

#include "kho/daemon/manager.h"

/* Which system units have no process any more, so that nobody writes to their regions: those that a
 * shutdown has stopped, and that therefore acknowledge no freeze.
 */

/* A process of the owner has connected: remembers where the owner's processes are. */
void stopped_note(struct manager *m, const char *owner, int pidfd);

/* Known, and not only likely. */
bool owner_has_stopped(const struct manager *m, const char *owner);

void stopped_free(struct manager *m);

#endif
