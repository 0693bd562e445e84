/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_BOOT_ENTRY_PRIVATE_H
#define KHO_KERNEL_BOOT_ENTRY_PRIVATE_H

#include "kho/kernel/boot-entry.h"

/*
 * What the name of an entry's file says: its id and counters. suffix: ".conf", ".efi", in any case.
 * 0, -EINVAL if it is no such name, or -ENOMEM.
 */
int boot_entry_init(struct boot_entry *entry, const char *root, const char *folder,
		    const char *name, const char *suffix);

#endif
