/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLI_CHECK_JSON_H
#define KHO_CLI_CHECK_JSON_H

#include "kho/cli/json.h"
#include "kho/kernel/check.h"

/* The document of kho check --json, for any number of images; kho(8). 0 or a negative errno. */
int check_to_json(const struct check *check, const struct checked *checked, size_t n,
		  sd_json_variant **ret);

#endif
