/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_IMAGE_CONFIG_H
#define KHO_KERNEL_IMAGE_CONFIG_H

#include "kho/kernel/image.h"

/*
 * Where the kernel embeds no configuration, looks for the file that is its one, and draws from it
 * what the image does not say. -ENOMEM, or 0.
 */
int image_find_config(int root_fd, struct image *image);

#endif
