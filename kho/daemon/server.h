/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_SERVER_H
#define KHO_DAEMON_SERVER_H

#include "kho/daemon/manager.h"

/* The two servers, without a socket to listen on; m->event is there. */
int services_new(struct manager *m);
int operators_new(struct manager *m);

/* Serves a connected socket, which is the server's from here: it may be closed at once if the peer
 * has too many already. On an error, the server's own limits or out of memory, it is still the
 * caller's.
 */
int services_add(struct manager *m, int fd);
int operators_add(struct manager *m, int fd);

/* Frees all that the manager holds. The loop has ended, or never ran. */
void manager_done(struct manager *m);

#endif
