/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_RUNNING_H
#define KHO_KERNEL_RUNNING_H

#include "kho/kernel/image.h"

/* What the running kernel hands over, and by which witnesses that is known. */
struct running_kernel {
	char release[65]; /* uname -r */
	/* The running kernel's own image: it has the build-id of /sys/kernel/notes. NULL: none of
	 * those that are installed has, or the kernel shows no build-id. */
	struct image *image;
	/* Of the image and of what the kernel shows in debugfs; what the two do not agree on is
	 * unknown. File handlers: those of the image. */
	struct abi abi;
	struct abi_layouts layouts; /* of the kernel's own BTF, or that of the image */
	char *problem; /* one line: why the image, or a string, is not known; NULL: all is well */
};

/*
 * Looks for the image in /boot, /usr/lib/modules/RELEASE and where UKIs are kept, and unpacks it,
 * which takes a while. Returns 0 also if nothing was found, which problem tells; -ENOMEM, or what
 * uname gave.
 */
int running_kernel_read(struct running_kernel **ret);

/* The same of the kernel called release below the directory root_fd; for tests. */
int running_kernel_read_at(int root_fd, const char *release, struct running_kernel **ret);

struct running_kernel *running_kernel_free(struct running_kernel *kernel);

DEFINE_CLEANUP_FUNC(struct running_kernel *, running_kernel_free)
#define _cleanup_running_kernel_ _cleanup_(running_kernel_freep)

#endif
