/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLI_LEFTOVERS_H
#define KHO_CLI_LEFTOVERS_H

#include "kho/cli/json.h"
#include "kho/client/exit-codes.h"

/* Copies that nobody has claimed, as io.kho.Manager.Leftovers has them; nothing if not root. */
int leftovers_fetch(sd_json_variant **ret);

/* A line each, with the way to be rid of it. */
void leftovers_print(sd_json_variant *leftovers);

/* Removes those of an update; says what fails. */
enum exit_code leftovers_drop(const char *update);

#endif
