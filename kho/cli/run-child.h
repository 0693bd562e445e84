/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLI_RUN_CHILD_H
#define KHO_CLI_RUN_CHILD_H

#include <sys/types.h>

#include "kho/core/cleanup.h"

/*
 * Descriptors that a command gets from 3 on, by the protocol of sd_listen_fds(3): first those that
 * this process was started with, then the regions.
 */
struct run_fds {
	int *fds;
	char **names; /* NULL-terminated, as long as fds */
	size_t n;
};

/*
 * Takes over what this process was given itself. To be called once, before anything else is open.
 * Returns 0 or a negative errno.
 */
int run_fds_inherit(struct run_fds *list);

/*
 * Adds fd, which stays the caller's and has to stay open. Returns the number that it will have in
 * the command, or a negative errno.
 */
int run_fds_add(struct run_fds *list, int fd, const char *name);

void run_fds_done(struct run_fds *list);
#define _cleanup_run_fds_ _cleanup_(run_fds_done)

/*
 * Starts a command with these descriptors, with no signal blocked, and so that it does not outlive
 * this process. Returns its pid when it has been executed, else a negative errno of execvp(3) or of
 * the way there.
 */
pid_t run_child_start(char *const *command, const struct run_fds *list);

#endif
