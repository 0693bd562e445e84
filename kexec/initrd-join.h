/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KEXEC_INITRD_JOIN_H
#define KEXEC_INITRD_JOIN_H

/*
 * Several initrds as one file, since kexec_file_load(2) takes one: in the runtime directory, for
 * root alone, as it has to be there still when what is staged is loaded again.
 */

/*
 * Writes a new one. Returns 0 with its path, or a negative errno with *ret_error, one line; both to
 * be freed by the caller (NULL: out of memory).
 */
int initrd_join(char *const *paths, char **ret_path, char **ret_error);

/* Removes all that are there but that one (NULL: all). */
void initrd_join_remove(const char *except);

#endif
