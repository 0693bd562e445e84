/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLI_CHECK_STORED_H
#define KHO_CLI_CHECK_STORED_H

#include "kho/client/stored.h"
#include "kho/cli/json.h"

/* What units keep with PID 1 and how it can go along: lines of kho check; nothing if there is none.
 */
void check_stored_print(const struct stored_memories *stored);

/* The same as member "fdStores" of a document. 0 or a negative errno. */
int check_stored_add_json(const struct stored_memories *stored, sd_json_variant **document);

#endif
