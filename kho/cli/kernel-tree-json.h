/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLI_KERNEL_TREE_JSON_H
#define KHO_CLI_KERNEL_TREE_JSON_H

#include <systemd/sd-json.h>

#include "kho/kernel/kernel-tree.h"

/*
 * One side of the kernel's handover as an object, as kho(8) describes it; bytes in hexadecimal.
 * *ret is the caller's to unref. Returns 0 or a negative errno.
 */
int kernel_tree_to_json(const struct kernel_tree *tree, sd_json_variant **ret);

/* One blob of it. */
int kernel_blob_to_json(const struct kernel_blob *blob, sd_json_variant **ret);

#endif
