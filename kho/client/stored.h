/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLIENT_STORED_H
#define KHO_CLIENT_STORED_H

#include <stdbool.h>
#include <stddef.h>

#include "kho/core/cleanup.h"

/*
 * Memory that services keep with PID 1: memfds, and sessions of /dev/liveupdate (LUOSession=), in
 * the fd stores of units that have FileDescriptorStorePreserve=yes. systemd-shutdown hands it to
 * the next kernel, as the last thing that it does; a kexec without an orderly shutdown loses it.
 * khod's own, which khod hands over, and those of systemd's own services, which put into theirs
 * what they need for a restart, are left out.
 */
struct stored_memory {
	char *unit;
	char *name;	      /* FDNAME= */
	const char *obstacle; /* why systemd-shutdown can't hand it over; NULL: nothing known */
};

struct stored_memories {
	struct stored_memory *items;
	size_t n;
};

/*
 * Asks PID 1, over D-Bus. *ret is to be freed by stored_memories_done(). Where PID 1 is not systemd
 * there is none. Returns 0 or a negative error; *ret is empty then.
 */
int stored_memories_find(struct stored_memories *ret);
void stored_memories_done(struct stored_memories *stored);

/* Whether any has an obstacle. */
bool stored_memories_obstructed(const struct stored_memories *stored);

#endif
