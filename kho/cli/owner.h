/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLI_OWNER_H
#define KHO_CLI_OWNER_H

#include <stdbool.h>

#include "kho/client/exit-codes.h"

/* Root in place of a region's owner. Each says what went wrong, and returns the exit code. */

enum exit_code owner_drop(const char *owner, const char *name);

/* Makes it a region of new_owner; NULL: of the caller. */
enum exit_code owner_give(const char *owner, const char *name, const char *new_owner);

/* The region's memory, which stays kept; *ret_fd is the caller's to close. */
enum exit_code owner_take(const char *owner, const char *name, bool damaged, int *ret_fd);

#endif
