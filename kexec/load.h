/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KEXEC_LOAD_H
#define KEXEC_LOAD_H

#include "kexec/run.h"
#include "kexec/staged.h"

/* The command by which kexec-tools loads it, with more arguments (NULL: none) that come after the
 * record's: the caller's array of borrowed words; NULL: out of memory.
 */
char **load_command(struct run *run, const struct staged *staged, char *const *more);

/*
 * Has kexec-tools load it, by kexec_file_load. Whatever fails undoes the update, and the files
 * having changed meanwhile is a failure. reload: the update is staged, so that what is loaded
 * already goes with it.
 */
enum exit_code run_load(struct run *run, const struct staged *staged, bool reload);

/* The same when services are frozen, with more arguments that come after the record's. */
enum exit_code run_load_frozen(struct run *run, const struct staged *staged,
			       char *const *arguments);

#endif
