/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_NEXT_KERNEL_PRIVATE_H
#define KHO_KERNEL_NEXT_KERNEL_PRIVATE_H

#include <stdarg.h>

#include "kho/kernel/next-kernel.h"

/* Returns error with the line in *ret_message, or -ENOMEM with none. */
int next_kernel_fail(char **ret_message, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
