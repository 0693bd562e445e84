/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLIENT_NEXT_H
#define KHO_CLIENT_NEXT_H

#include "kho/client/settings.h"
#include "kho/kernel/next-kernel.h"

/*
 * The kernel that comes next if nobody names one, as live-update.conf(5) has it. Returns as
 * next_kernel_choose(); *ret is to be freed by next_kernel_done() in any case.
 */
int next_kernel_find(const struct settings *settings, struct next_kernel *ret, char **ret_message);

#endif
