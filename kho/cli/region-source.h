/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLI_REGION_SOURCE_H
#define KHO_CLI_REGION_SOURCE_H

#include <systemd/sd-json.h>

#include "kho/client/exit-codes.h"

/*
 * The regions that the caller may see: root those of all owners, anybody else those of the unit or
 * user that asks. *ret is the caller's to unref. Says why it can't, and returns the exit code.
 */
enum exit_code region_source_list(sd_json_variant **ret);

#endif
