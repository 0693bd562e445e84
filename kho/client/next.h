/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLIENT_NEXT_H
#define KHO_CLIENT_NEXT_H

#include "kho/client/settings.h"
#include "kho/kernel/next-kernel.h"

/*
 * The kernel that comes next if nobody names one, as live-update.conf(5) has it, or without
 * settings (NULL) the boot loader alone, which is what systemctl kexec loads; or, whatever they
 * say, the boot loader entry with that id (NULL: none is asked for). Returns as
 * next_kernel_choose(); *ret is to be freed by next_kernel_done() in any case.
 */
int next_kernel_find(const struct settings *settings, const char *entry, struct next_kernel *ret,
		     char **ret_message);

/* The ids of all entries, one a line. 0 or a negative errno. */
int next_kernel_print_entries(FILE *f);

#endif
