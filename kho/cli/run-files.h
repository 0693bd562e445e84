/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLI_RUN_FILES_H
#define KHO_CLI_RUN_FILES_H

#include <stdbool.h>

#include "kho/cli/handover.h"

/*
 * Writes the file that was handed over in region name back to path, mode 0600, in place of what may
 * be there. *ret_forget tells whether run_file_forget() is due once the command runs, and not
 * before: one that can't be started must not cost the only copy. Says what went wrong, or was lost,
 * and returns the exit code.
 */
enum exit_code run_file_restore(struct kho *kho, const char *name, const char *path,
				bool *ret_forget);

/* Drops the region: an old state must never be restored a second time. Returns as libkho. */
int run_file_forget(struct kho *kho, const char *name);

/*
 * Keeps the content of path in region name. Says what went wrong; *ret_reason is one line for the
 * operator, the caller's to free. Returns 0 or a negative errno.
 */
int run_file_store(struct kho *kho, const char *name, const char *path, bool optional,
		   char **ret_reason);

#endif
