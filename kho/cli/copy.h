/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLI_COPY_H
#define KHO_CLI_COPY_H

#include <stdint.h>

/*
 * Writes the whole content of the memory behind fd to out (both stay the caller's), holes as holes
 * where out is a file that can have them. The file position of fd, which khod shares, stays as it
 * is. Returns 0 or a negative errno.
 */
int copy_content(int fd, int out);

/*
 * Reads in to its end into a new memfd, checking as it goes that there is room for it. *ret_fd is
 * the caller's to close; *ret_size is in bytes. Returns 0, -ENOSPC if memory does not suffice (it
 * then has said so), or another negative errno.
 */
int copy_to_memory(int in, const char *name, int *ret_fd, uint64_t *ret_size);

#endif
