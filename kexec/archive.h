/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KEXEC_ARCHIVE_H
#define KEXEC_ARCHIVE_H

#include <stdint.h>

/* The program that is in every archive, and what rdinit= names where there is no initrd. */
#define ARCHIVE_INIT "/kho/init"

/* Whether what comes into the initrd is there: 0, or a negative errno with *ret_message. */
int archive_check_installed(char **ret_message);

/*
 * Makes an initrd of an archive of copies, a memfd as khod gives it: behind the copies comes what
 * keeps them beyond the change of root, and then the machine's own initrd (NULL: it has none).
 * Archives are unpacked one after the other, and an initrd that is damaged, or ends in something
 * else, can't hide what is ahead of it. 0, or a negative errno with *ret_message, one line to be
 * freed by the caller (NULL: out of memory).
 */
int archive_complete(int memory, const char *initrd, char **ret_message);

/*
 * Opens the memory anew for reading alone and closes *memory, which becomes -EBADF: nothing that
 * somebody may write is loaded (fs/kernel_read_file.c). Waits until whoever passed it on has closed
 * it too. The new fd is the caller's and passed on to programs; errors: -ETXTBSY it stays open
 * somewhere; what open(2) gives.
 */
int archive_freeze(int *memory);

#endif
