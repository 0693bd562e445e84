/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KEXEC_INITRD_KIND_H
#define KEXEC_INITRD_KIND_H

/*
 * Whether an initrd keeps what comes with it beyond the change of root: one with systemd or of
 * dracut does as it is; one of initramfs-tools has to have been made since kho-tools was installed.
 * 0; or -EOPNOTSUPP, or what reading it gave, with *ret_message: one line to be freed by the caller
 * (NULL: out of memory). Reads no further than it has to.
 */
int initrd_keeps_copies(const char *path, char **ret_message);

#endif
