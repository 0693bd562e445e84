/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_IMAGE_KERNEL_H
#define KHO_KERNEL_IMAGE_KERNEL_H

#include "kho/kernel/image.h"
#include "kho/kernel/span.h"

/* Fills in how the kernel in the image is packed. What reading gave, or 0. */
int image_note_compression(const struct span *file, struct image *image);

/*
 * Unpacks the kernel and fills in what it says about itself; or image->problem, and nothing else.
 * -ENOMEM, or 0.
 */
int image_read_kernel(const struct span *file, struct image *image);

#endif
