/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_FILE_H
#define KHO_KERNEL_FILE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Reads a file of /proc or /sys, whose size nobody knows before, whole: at most max bytes, else
 * -EFBIG. The result is NUL-terminated beyond its size (which may be NULL) and the caller's to
 * free.
 */
int read_file_at(int root_fd, const char *path, size_t max, char **ret, size_t *ret_size);

/* As above; one line of text without its end in buf. -EFBIG if it does not fit. */
int read_line_at(int root_fd, const char *path, char *buf, size_t size);

/*
 * Opens a regular file that is not empty, for reading. Returns an fd, the caller's, or a negative
 * errno with *ret_message, one line to be freed by the caller (NULL: out of memory).
 */
int open_filled_file_at(int root_fd, const char *path, uint64_t *ret_size, char **ret_message);

#endif
