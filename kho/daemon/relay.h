/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_RELAY_H
#define KHO_DAEMON_RELAY_H

/*
 * Whoever may open a file of FUSE can make a close(2) of it last for as long as he likes: closing
 * it asks the file system, and waits without a way out (fs/fuse/file.c, fuse_flush()). So khod
 * itself receives no fd from users. Between it and each of them stands a process of their own,
 * which passes on what they say, and of fds only memory; it may be put to sleep.
 */

/* Forks the process that forks these; before there are threads, and as few fds as possible. *ret is
 * khod's end to it, the caller's to close: it ends with that.
 */
int relay_start(int *ret);

/* Puts a process between the connected sockets client and outer, whose other end is khod's; both
 * stay the caller's. Errors: -EAGAIN it has not got to it within a second, -EPIPE the process is
 * gone.
 */
int relay_pass(int relay, int client, int outer);

#endif
