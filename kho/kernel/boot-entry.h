/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_BOOT_ENTRY_H
#define KHO_KERNEL_BOOT_ENTRY_H

#include <stdbool.h>

#include "kho/core/cleanup.h"

/*
 * An entry of the UAPI group's Boot Loader Specification: a file in loader/entries (type 1), or a
 * unified kernel image in EFI/Linux (type 2). Strings are NULL where the entry does not say.
 */
struct boot_entry {
	char *id;   /* as bootctl(1) has it: the file's name without the counters of tries */
	char *path; /* of that file, absolute */
	char *root; /* of its file system, "/boot": what paths in it begin at */
	char *sort_key, *machine_id, *version;
	char *architecture;	    /* "x64", "aa64" */
	char *image;		    /* absolute path */
	char **initrds;		    /* strv of absolute paths */
	char *options;		    /* all of them, "" if it has none; NULL: the image's own */
	int tries_left, tries_done; /* negative: they are not counted */
	char *problem; /* why it can't be loaded by kexec, to come after its name; NULL: it can */
	char **notes;  /* strv: what of it has no effect, likewise */
};

/*
 * Reads the entry FOLDER/NAME of the file system at root: "loader/entries" or "EFI/Linux". Paths
 * are below the directory root_fd, which stands for /. Returns 0; -EINVAL: NAME is none of an
 * entry, -EBADMSG: it is no text or no such image, -EFBIG: over a MiB; and what opening and
 * reading gave. *ret is to be freed by boot_entry_done() in any case.
 */
int boot_entry_read(int root_fd, const char *root, const char *name, struct boot_entry *ret);
int boot_entry_read_uki(int root_fd, const char *root, const char *name, struct boot_entry *ret);

void boot_entry_done(struct boot_entry *entry);

/* It has been tried as often as it may be, and never started: the boot loader's last choice. */
static inline bool boot_entry_is_bad(const struct boot_entry *entry)
{
	return entry->tries_left == 0;
}

/* Whether it says that it is for another kind of machine. */
bool boot_entry_is_foreign(const struct boot_entry *entry);

/* The order in which the boot loader shows them, for qsort(3). */
int boot_entry_compare(const void *a, const void *b);

#endif
