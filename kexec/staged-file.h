/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KEXEC_STAGED_FILE_H
#define KEXEC_STAGED_FILE_H

#include <stdbool.h>
#include <stdint.h>

/* A file that was checked, to know it again. */
struct staged_file {
	char *path; /* absolute; NULL: there is no such file */
	uint64_t device, inode, size, mtime_nsec;
	char digest[33]; /* XXH3-128 of its content, hexadecimal */
};

void staged_file_done(struct staged_file *file);

/*
 * Takes down what the file is now. 0, or a negative errno with *ret_error, one line to be freed by
 * the caller (NULL: out of memory).
 */
int staged_file_identify(const char *path, struct staged_file *ret, char **ret_error);

/*
 * Whether it still is that file: 0; -ESTALE with *ret_error if not, or what reading it gave.
 * content: looks into it too, which takes as long as reading it does.
 */
int staged_file_verify(const struct staged_file *file, bool content, char **ret_error);

#endif
