/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_SESSIONS_H
#define KHO_KERNEL_SESSIONS_H

#include <stddef.h>
#include <sys/types.h>

/* A session of LUO that a process on this machine holds. */
struct luo_session_holder {
	char *name;
	pid_t pid;	  /* the one with the lowest number, of those that hold it */
	char program[17]; /* its comm; "": not known */
};

struct luo_sessions {
	struct luo_session_holder *holders; /* one a session, sorted by name */
	size_t n_holders;
};

/*
 * The sessions that are not ours ("kho-<update>-<n>", kho/transport/luo.c), by the descriptors of
 * all processes that the caller may look into. Errors: -ENOMEM, or what reading /proc gave.
 */
int foreign_sessions_at(int root_fd, struct luo_sessions *ret);

void luo_sessions_done(struct luo_sessions *sessions);

#endif
