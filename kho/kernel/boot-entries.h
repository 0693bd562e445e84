/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_BOOT_ENTRIES_H
#define KHO_KERNEL_BOOT_ENTRIES_H

#include <stddef.h>

#include "kho/kernel/boot-entry.h"

/*
 * The boot loader's entries: those of /run/boot-loader-entries, if there is that, which boot
 * loaders without files of this kind may fill; else those of the file systems at /efi, /boot and
 * /boot/efi, where EFI system partition and XBOOTLDR are mounted.
 *
 * They are read here and not by bootctl(1), for three reasons: Debian has it in a package of its
 * own, which a machine can do without; it reads nothing where /boot is not a partition of the type
 * that the specification wants; and systemctl(1) does not ask it either, so that what it says would
 * have to be held against "systemctl kexec" all the same.
 */
struct boot_entries {
	struct boot_entry *entries; /* in the order in which the boot loader shows them */
	size_t n_entries;
	char *preferred_pattern, *default_pattern; /* of loader.conf; NULL: not there */
	char *loader_conf;			   /* its path, if so */
	char **warnings;			   /* strv of lines: files that are no entries */
};

/*
 * Reads them below the directory root_fd, which stands for /. Returns 0, also if there are none;
 * -ENOMEM. *ret is to be freed by boot_entries_done() in any case.
 */
int boot_entries_read(int root_fd, struct boot_entries *ret);

void boot_entries_done(struct boot_entries *entries);

/* The one with that id, if need be regardless of case; NULL: there is none. */
const struct boot_entry *boot_entries_find(const struct boot_entries *entries, const char *id);

/*
 * The one that systemd-boot would start: what is set for the next boot alone (LoaderEntryOneShot),
 * else what is preferred and not bad (LoaderEntryPreferred, preferred in loader.conf), else the
 * default (LoaderEntryDefault, default in loader.conf), else, where there is no loader.conf, what
 * GRUB has saved (next_entry, saved_entry in grubenv), else the first. Patterns are those of
 * fnmatch(3), and "@saved" is LoaderEntryLastBooted's. Entries for other kinds of machines are
 * passed over. NULL: there is none.
 * Returns 0 with the reason in *ret_why, words to come after the entry's name, the caller's; or
 * -ENOMEM.
 */
int boot_entries_default(int root_fd, const struct boot_entries *entries,
			 const struct boot_entry **ret, char **ret_why);

#endif
