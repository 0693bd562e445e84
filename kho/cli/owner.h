/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLI_OWNER_H
#define KHO_CLI_OWNER_H

#include <stdbool.h>

#include "kho/client/exit-codes.h"

/* Root in place of a region's owner. Each says what went wrong, and returns the exit code. */

enum exit_code owner_drop(const char *owner, const char *name);

/* The region's memory, which stays kept; *ret_fd is the caller's to close. */
enum exit_code owner_take(const char *owner, const char *name, bool damaged, int *ret_fd);

#endif
