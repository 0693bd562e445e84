/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLI_RUN_LOOP_H
#define KHO_CLI_RUN_LOOP_H

#include <stdbool.h>

#include "kho/cli/handover.h"
#include "kho/cli/run-child.h"
#include "kho/cli/run-spec.h"

/* What there is to run, all borrowed. */
struct run_job {
	const struct run_spec *spec;
	struct kho *kho;	 /* watches already */
	char *const *command;	 /* names replaced */
	char *const *file_paths; /* as long as spec->files, names replaced */
	bool *stale;		 /* of each file: its region is to be forgotten once COMMAND runs */
	const struct run_fds *fds;
};

/*
 * Runs the command until it ends for good, through as many updates that are given up as there are.
 * Returns 0 and in *ret_status how it ended, as waitpid(2) has it, or says what went wrong and
 * returns -EPROTO if that is all there is to say.
 */
int run_loop(const struct run_job *job, int *ret_status);

#endif
