/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_NEXT_KERNEL_H
#define KHO_KERNEL_NEXT_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "kho/core/cleanup.h"

/*
 * Which kernel comes next, if nobody names one: the one that the machine would boot by itself. That
 * is the boot loader's default entry, where there are entries, see boot-entries.h; else
 * /boot/vmlinuz with /boot/initrd.img, or /vmlinuz with /initrd.img, as Debian links them.
 */

/* What was asked for, all borrowed; zeroed: nothing. */
struct next_kernel_wish {
	const char *entry;    /* id of a boot loader entry */
	const char *entry_at; /* who says so: "--entry=", "FILE:LINE" */

	const char *kernel; /* absolute path, if not an entry */
	const char *kernel_at;
	char *const *initrds; /* with kernel: strv of absolute paths */

	/* Instead of the entry's command line, or of what comes with the kernel. */
	const char *command_line;
	const char *command_line_at;
	bool reuse_cmdline; /* begin with the running kernel's */
	const char *reuse_cmdline_at;
};

struct next_kernel {
	char *image;	/* absolute path */
	char **initrds; /* strv of absolute paths, to be loaded one behind the other */
	char *cmdline;	/* NULL: the image's own, if it is a unified kernel image, or else none */
	char *cmdline_from; /* where it can be changed: a path, "FILE:LINE" or words */
	char *release;	    /* uname -r; NULL: the image does not tell */
	char *entry;	    /* id of the boot loader entry; NULL: it was not one */
	char *source;	    /* the file that names the kernel */
	char *why;	    /* why this one, in words that come after a name */
	char **warnings;    /* strv of lines */
};

/*
 * Chooses. Nothing is written, nothing but the files that say which kernel it is and the image's
 * header is read, and that the files are there is looked at: they may be on automounts, which this
 * mounts. Returns 0; or a negative errno with *ret_message, one line to be freed by the caller
 * (NULL: out of memory): -ENOENT there is no such kernel or entry; -EINVAL an entry that can't be
 * used; and what reading gave. *ret is to be freed by next_kernel_done() in any case.
 */
int next_kernel_choose(const struct next_kernel_wish *wish, struct next_kernel *ret,
		       char **ret_message);

/* The same below the directory root_fd, which stands for /; for tests. */
int next_kernel_choose_at(int root_fd, const struct next_kernel_wish *wish, struct next_kernel *ret,
			  char **ret_message);

/* Where the next one begins behind initrds of that size (init/initramfs.c: each is aligned to 4).
 */
static inline uint64_t initrd_padded(uint64_t size)
{
	return (size + 3) & ~UINT64_C(3);
}

void next_kernel_done(struct next_kernel *next);

/*
 * The running kernel's command line without what the boot loader put there for itself: BOOT_IMAGE=
 * and initrd=. A copy of the caller's; NULL: out of memory.
 */
char *cmdline_without_loader(const char *cmdline);

#endif
