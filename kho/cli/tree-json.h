/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLI_TREE_JSON_H
#define KHO_CLI_TREE_JSON_H

#include <systemd/sd-json.h>

#include "kho/core/tree.h"

/*
 * The handover as one object: fields as kho-tree(5) has properties, times in microseconds since
 * 1970, digests in hexadecimal. *ret is the caller's to unref. Returns 0 or a negative errno.
 */
int tree_to_json(const struct handover *handover, sd_json_variant **ret);

#endif
