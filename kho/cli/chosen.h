/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLI_CHOSEN_H
#define KHO_CLI_CHOSEN_H

#include "kho/cli/json.h"
#include "kho/client/next.h"
#include "kho/client/exit-codes.h"

/* The kernel that comes next, or of that entry (NULL: none was named). Says warnings and errors. */
enum exit_code chosen_find(const char *entry, struct next_kernel *ret);

/* Which one it is and why, a few lines. */
void chosen_print(const struct next_kernel *next);

/* The same as member "chosen" of a document. 0 or a negative errno. */
int chosen_add_json(const struct next_kernel *next, sd_json_variant **document);

#endif
