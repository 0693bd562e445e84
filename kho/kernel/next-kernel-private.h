/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_NEXT_KERNEL_PRIVATE_H
#define KHO_KERNEL_NEXT_KERNEL_PRIVATE_H

#include <stdarg.h>

#include "kho/kernel/next-kernel.h"

/* Returns error with the line in *ret_message, or -ENOMEM with none. */
int next_kernel_fail(char **ret_message, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * The boot loader's entry that is asked for, or its default. 1; 0: there are no entries; or a
 * negative errno as next_kernel_choose().
 */
int next_kernel_from_entry(int root_fd, const struct next_kernel_wish *wish,
			   struct next_kernel *next, char **ret_message);

#endif
