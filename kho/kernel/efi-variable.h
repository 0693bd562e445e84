/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_EFI_VARIABLE_H
#define KHO_KERNEL_EFI_VARIABLE_H

/*
 * A string that the boot loader or bootctl(1) keeps for the next boot, of the Boot Loader
 * Interface (systemd.io/BOOT_LOADER_INTERFACE), below the directory root_fd, which stands for /.
 * Returns 0 with the string, to be freed by the caller; -ENOENT: there is none; -EBADMSG: it is no
 * string of ASCII, in which ids of entries are; or what reading gave.
 */
int efi_loader_string(int root_fd, const char *name, char **ret);

#endif
