/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_STARTUP_H
#define KHO_DAEMON_STARTUP_H

#include "kho/daemon/manager.h"
#include "kho/daemon/restore.h"

/* What came with khod's start: sockets, and what lay in the fd store. */
struct inheritance {
	int services, operators; /* listening sockets */
	int tree;
	int arrived; /* the tree of the update that is being restored */
	int signpost;
	int execution; /* pidfd of who may be about to reboot */
	struct inherited_memory {
		uint32_t id;
		int fd;
	} *memory;
	size_t n_memory;
	struct inherited_session {
		char update_id[17];
		uint32_t number;
		int fd;
	} *sessions;
	size_t n_sessions;
};

/* Reads $LISTEN_FDS; what has no known name is closed. */
int inheritance_take(struct inheritance *ret);
void inheritance_done(struct inheritance *inheritance);

/* Goes on from where things stand: a new registry, that of a khod that ended in this kernel, or
 * what the previous kernel handed over. ready is called once that is done, or waits.
 */
int startup(struct manager *m, struct inheritance *inheritance, restore_ready_fn ready);

#endif
