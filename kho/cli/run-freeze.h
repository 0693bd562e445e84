/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLI_RUN_FREEZE_H
#define KHO_CLI_RUN_FREEZE_H

#include <stdint.h>
#include <sys/types.h>

#include "kho/core/cleanup.h"

/* The processes that were stopped, and are to go on. */
struct frozen {
	pid_t *pids;
	size_t n;
};

/*
 * Stops every descendant of ancestor by SIGSTOP and returns when each of their threads has stopped.
 * What was stopped before is left alone, also by frozen_thaw(). timeout is in microseconds. Returns
 * 0, -ETIME if something still ran then (what did stop stays stopped), or another negative errno.
 */
int frozen_freeze(struct frozen *frozen, pid_t ancestor, uint64_t timeout);

/* Lets all of them go on, and forgets them. */
void frozen_thaw(struct frozen *frozen);

/* Sends a signal to every descendant of ancestor. Returns 0 or a negative errno. */
int descendants_kill(pid_t ancestor, int signal);

void frozen_done(struct frozen *frozen);

#endif
