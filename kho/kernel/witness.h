/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_WITNESS_H
#define KHO_KERNEL_WITNESS_H

#include "kho/kernel/abi.h"

/*
 * Adds to abi the strings that the running kernel shows in debugfs, below the directory root_fd:
 * what it has written for the next kernel, and the tree that it took over from the previous one,
 * which it does only if the string is its own. Returns 0, also if there is nothing to see; 1 if one
 * differs from what abi had; -ENOMEM.
 */
int witness_read(int root_fd, struct abi *abi);

#endif
