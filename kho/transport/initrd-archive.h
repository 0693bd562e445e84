/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_TRANSPORT_INITRD_ARCHIVE_H
#define KHO_TRANSPORT_INITRD_ARCHIVE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/*
 * cpio archives (newc) in a file, one behind the other, as the kernel unpacks them from an initrd
 * (Documentation/driver-api/early-userspace/buffer-format.rst). Nothing in them is readable for
 * anybody but root.
 */
struct initrd_archive {
	int fd;		   /* borrowed */
	atomic_ullong end; /* bytes that have been given out */
};

/* Of one member, in bytes; the format has room for 4 GiB. */
#define INITRD_MEMBER_MAX UINT32_MAX
/* Each archive begins at a multiple of this. */
#define INITRD_ARCHIVE_ALIGN 512

/* Begins one more archive at the end of the file. 0, or what fstat(2) gives. */
int initrd_archive_begin(struct initrd_archive *archive, int fd);

/* A directory: 0700 unless mode says otherwise. Errors as initrd_archive_add(). */
int initrd_archive_add_directory(struct initrd_archive *archive, const char *path, mode_t mode);

/*
 * A file, with these parts as its content. May be called from several threads at once. Errors:
 * -EFBIG more than INITRD_MEMBER_MAX; -ENOMEM; what writing gives.
 */
int initrd_archive_add(struct initrd_archive *archive, const char *path, mode_t mode,
		       const struct iovec *parts, size_t n_parts);

/* The same for a symbolic link. */
int initrd_archive_add_link(struct initrd_archive *archive, const char *path, const char *target);

/* Ends the archive; the file is whole from here on. */
int initrd_archive_end(struct initrd_archive *archive);

#endif
