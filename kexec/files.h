/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KEXEC_FILES_H
#define KEXEC_FILES_H

#include "kho/kernel/image.h"

/*
 * Checks that path is a whole kernel of a kind that kexec_file_load takes on this machine. Returns
 * 0, or a negative errno with *ret_error, one line to be freed by the caller (NULL: out of memory).
 */
int image_check(const char *path, struct image **ret, char **ret_error);

/* Checks that an initrd can be read at all. Errors as image_check(). */
int initrd_check(const char *path, char **ret_error);

#endif
