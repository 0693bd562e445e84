/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_IMAGE_HEADER_H
#define KHO_KERNEL_IMAGE_HEADER_H

#include "kho/kernel/image.h"
#include "kho/kernel/span.h"

#define IMAGE_TRUNCATED "is truncated: its header promises more than there is"

/*
 * Readers of headers. Each fills in what the header of its kind of image says, if it is of that
 * kind. Returns 1; 0 it is not of that kind; or a negative errno: with -ENOEXEC *ret_reason, which
 * is constant, says what is wrong, to come after the image's name. Offsets in the image count from
 * the start of the span.
 */
typedef int image_header_reader(const struct span *span, struct image *image,
				const char **ret_reason);

image_header_reader image_header_read; /* of any kind; never 0 */
image_header_reader image_read_bare;   /* of any but UKI, which has one of these in it */
image_header_reader image_read_bzimage;
image_header_reader image_read_elf;
image_header_reader image_read_arm64;
image_header_reader image_read_zboot;
image_header_reader image_read_compressed;
image_header_reader image_read_uki;

/* Whether the file has a signature for UEFI, whatever else it is. */
bool image_pe_is_signed(const struct span *span);

#endif
