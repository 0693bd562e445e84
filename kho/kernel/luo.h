/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_LUO_H
#define KHO_KERNEL_LUO_H

/*
 * The ioctls of /dev/liveupdate (include/uapi/linux/liveupdate.h). All of them block, can't be
 * interrupted, and may be called from any thread: keep them off an event loop. Every fd that is
 * returned is close-on-exec and the caller's to close.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LUO_DEVICE "/dev/liveupdate"
/* Bytes of a session's name, without the terminator: what every kernel and PID 1 take whole. */
#define LUO_SESSION_NAME_MAX 38
/* How long the device may be busy before a call gives up with -EBUSY. */
#define LUO_BUSY_TIMEOUT_USEC (5 * 1000000ULL)

/*
 * Creates n sessions in one short open of the device: all of them or none. Errors: -ENOENT no
 * device (no LUO, or switched off), -EACCES not allowed, -EBUSY another program has the device
 * open for longer than LUO_BUSY_TIMEOUT_USEC, -EIO this kernel could not read what the previous
 * one handed over (kernel/liveupdate/luo_core.c, luo_open), -EEXIST a name is taken, -EINVAL a
 * name is empty or too long, -ENOSPC no room for more sessions (7.1), -ENOMEM.
 */
int luo_create_sessions(const char *const *names, size_t n, int *ret_fds);

/* As above, for one; returns the fd. */
int luo_create_session(const char *name);

/*
 * Takes incoming sessions by name in one short open. ret_fds[i] is the fd of names[i], or the
 * negative error of that one: -ENOENT there is none of that name, -EINVAL it was taken already
 * in this boot. Returns the number of sessions taken, or, if the device can't be opened, an
 * error as luo_create_sessions does.
 */
int luo_retrieve_sessions(const char *const *names, size_t n, int *ret_fds);

/* As above, for one; returns the fd. */
int luo_retrieve_session(const char *name);

/*
 * Preserves the file behind fd; both fds stay the caller's. From here to the release of the session
 * the file can't change its size, while writing goes on. Fills holes, swaps in, moves pages, and
 * does not fail but calls the OOM killer if memory does not suffice: do the arithmetic before.
 * Errors (kernel/liveupdate/luo_file.c, luo_preserve_file): see luo_preserve_advice().
 */
int luo_session_preserve(int session, int fd, uint64_t token);

/*
 * Gives the file that was preserved under token as a new fd; more than once if asked. The memory is
 * charged to the caller's cgroup, and a failure is final. Errors: see luo_retrieve_advice().
 */
int luo_session_retrieve(int session, uint64_t token);

/*
 * Ends an incoming session: files that were retrieved are ordinary ones again, those that were not
 * are freed. Errors: -EBUSY a file is not ready, -EINVAL an outgoing session.
 */
int luo_session_finish(int session);

/*
 * Whether the kernel holds the file behind fd (open for writing) for the next kernel. Neither
 * changes the file's content nor its position. 1, 0, or a negative error.
 */
int luo_is_preserved(int fd);

/* What an error of luo_session_preserve() means, and the way out; never NULL, one sentence. */
const char *luo_preserve_advice(int error);

/* The same for luo_session_retrieve(). */
const char *luo_retrieve_advice(int error);

/*
 * Whether an error of luo_session_retrieve() stands for good. If not, the file is untouched and can
 * be asked for again, as long as the session is not finished: finishing frees it.
 */
bool luo_retrieve_is_final(int error);

/* As luo_preserve_advice(), for opening the device and for creating and retrieving sessions. */
const char *luo_session_advice(int error);

#endif
