/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_LISTENER_H
#define KHO_DAEMON_LISTENER_H

#include <sys/types.h>

#include "kho/core/cleanup.h"
#include "kho/daemon/manager.h"

/* Where connections come from. sd-varlink's own listener would stop for good at the first accept(2)
 * that fails, so that whoever makes khod run out of fds for a moment had locked everybody out.
 */
struct listener;

/* Takes a connected socket; on an error it stays the listener's, which closes it. */
typedef int (*listener_add_fn)(struct manager *m, int fd);

/* Listens on fd, or, if that is negative, on a new socket of that name in the runtime directory.
 * Owns fd from here, on failure too.
 */
int listener_new(struct manager *m, int fd, const char *file, mode_t mode, int64_t priority,
		 listener_add_fn add, struct listener **ret);

struct listener *listener_free(struct listener *listener);
DEFINE_CLEANUP_FUNC(struct listener *, listener_free)

#endif
