/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLI_KERNEL_VIEW_H
#define KHO_CLI_KERNEL_VIEW_H

#include <stdbool.h>

/*
 * Prints to stdout what the running kernel can do, as far as this process may see, and that khod
 * can't be asked (reason).
 */
void show_kernel(bool json, const char *reason);

#endif
