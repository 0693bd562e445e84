/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_UNIT_FAKE_ROOT_H
#define TESTS_UNIT_FAKE_ROOT_H

#include <stddef.h>

/* A directory that stands in for / in what reads /proc and /sys. */

/* An fd of a new, empty one; ends the test if it can't be made. */
int fake_root_open(void);

/* Writes a file, and makes the directories above it. */
void fake_file(int root_fd, const char *path, const char *content);
void fake_blob(int root_fd, const char *path, const void *content, size_t size);
void fake_remove(int root_fd, const char *path);

/* Removes all of it. */
void fake_root_close(int root_fd);

#endif
