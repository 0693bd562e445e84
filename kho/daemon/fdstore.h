/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_FDSTORE_H
#define KHO_DAEMON_FDSTORE_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

/* The fd store of khod's unit: what lies there outlives khod. Without systemd there is none, and
 * khod alone holds the fds; every function here then succeeds and does nothing.
 */

bool fdstore_exists(void);

/* Fds that fit into the store, UINT64_MAX where there is none to fill. */
uint64_t fdstore_max(void);

/* Stores a duplicate of fd under name; several may share a name. Not confirmed: see barrier. */
int fdstore_push(const char *name, int fd);

/* Removes, and closes, all fds of that name. */
int fdstore_remove(const char *name);

/* Waits, at most timeout_usec, until PID 1 has done all that was asked before. Blocks. */
int fdstore_wait(uint64_t timeout_usec);

/* The same for the loop: calls done once, later, with 0 or a negative errno. */
typedef void (*fdstore_done_fn)(int result, void *userdata);
int fdstore_barrier(sd_event *event, fdstore_done_fn done, void *userdata);

#endif
