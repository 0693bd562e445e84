/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_FINALIZE_H
#define KHO_KERNEL_FINALIZE_H

#include <stdbool.h>

/*
 * 6.16 to 6.18 hand over what is in their tree when it is finalized, and only to an image that is
 * loaded after that (kernel/kexec_handover.c, kho_out_finalize_set, kho_fill_kimage). Writing 0 is
 * no way back: the kernel then forgets what its users had registered long before, and an image that
 * is loaded already would be handed freed memory. So nothing here ever writes it.
 *
 * All take the directory that stands for / as root_fd. Errors come with one line in *ret_message
 * (the caller's to free; NULL: out of memory) that has the reason and the way out:
 *   -ENOENT      debugfs is not mounted, or KHO is switched off
 *   -EACCES      no rights
 *   -EPERM       lockdown
 *   -ESTALE      0 was written in this boot, or finalizing has failed, and memory of users of KHO
 *                would not arrive
 *   -ENODATA     not finalized (finalize_check_at() alone)
 *   others       as the kernel gave them
 */

/* Whether the running kernel is one that has to be finalized, or may be one: 6.16 to 6.18 whose
 * debugfs is out of sight. */
bool finalize_is_needed_at(int root_fd);

/* Whether finalize_at() may be tried. Changes nothing. */
int finalize_is_possible_at(int root_fd, char **ret_message);

/* Finalizes; success if that has been done before. */
int finalize_at(int root_fd, char **ret_message);

/*
 * Whether an image that was loaded after finalize_at() is handed everything if it is executed now.
 */
int finalize_check_at(int root_fd, char **ret_message);

/*
 * The users whose memory is handed over, once finalized: "kho_test, memblock". -ENOENT: none.
 */
int finalize_users_at(int root_fd, char **ret);

#endif
