/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLI_RUN_DIRECTORY_H
#define KHO_CLI_RUN_DIRECTORY_H

#include <stddef.h>

/*
 * Makes a private directory below the unit's runtime directory, or below /run (root) or
 * $XDG_RUNTIME_DIR. *ret is the caller's, to remove by run_directory_remove() and to free. Returns
 * 0, -ENOENT if there is no place for it, or another negative errno.
 */
int run_directory_make(char **ret);

/*
 * Makes a link in directory, named after a region, to where a process finds its own descriptor fd.
 * *ret_path is the caller's to free. Returns 0 or a negative errno.
 */
int run_directory_link(const char *directory, const char *name, int fd, char **ret_path);

/* Removes it with the files in it. NULL is fine. */
void run_directory_remove(const char *directory);

#endif
