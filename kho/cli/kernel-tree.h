/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLI_KERNEL_TREE_H
#define KHO_CLI_KERNEL_TREE_H

#include "kho/client/exit-codes.h"
#include "kho/kernel/kernel-tree.h"

enum tree_form { TREE_DTS, TREE_RAW, TREE_JSON };

/* Shows one side of the kernel's own handover, or the blob of it that is called name (NULL: all).
 */
enum exit_code show_kernel_tree(enum kernel_side side, const char *name, enum tree_form form);

#endif
