/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_IMAGE_SCAN_H
#define KHO_KERNEL_IMAGE_SCAN_H

#include "kho/kernel/image.h"

struct image_scan;

/* Looks through an unpacked kernel for what it says about itself, as a stream. NULL: -ENOMEM. */
struct image_scan *image_scan_new(void);
struct image_scan *image_scan_free(struct image_scan *scan);

/* The next bytes. -ENOMEM, or 0. */
int image_scan_add(struct image_scan *scan, const uint8_t *data, size_t n);

/* Tells the image what was found; only after all has been added. -ENOMEM, or 0. */
int image_scan_finish(struct image_scan *scan, struct image *image);

#endif
