/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLI_KERNEL_TREE_PRINT_H
#define KHO_CLI_KERNEL_TREE_PRINT_H

#include <stdio.h>

#include "kho/kernel/kernel-tree.h"

/*
 * For people: trees as device tree source, each of them one that dtc reads back, everything else in
 * comments. Returns 0 or a negative errno.
 */
int kernel_tree_print(FILE *f, const struct kernel_tree *tree);

/* One blob of it, by itself. */
int kernel_blob_print(FILE *f, const struct kernel_blob *blob);

#endif
