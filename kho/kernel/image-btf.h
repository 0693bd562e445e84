/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_IMAGE_BTF_H
#define KHO_KERNEL_IMAGE_BTF_H

#include "kho/kernel/abi-layouts.h"

/*
 * The types of the kernel, taken out of a stream: section .BTF, which stays where everything that
 * an image does not need is stripped (include/asm-generic/vmlinux.lds.h).
 */
struct image_btf {
	struct abi_layouts layouts;
	uint8_t *data;
	size_t size, room, whole; /* whole > 0: within one, which has so many bytes */
};

/*
 * The next bytes: from begin until before end. BTF_HEADER_MIN more behind them can be read, and
 * come again. -ENOMEM, or 0.
 */
int image_btf_add(struct image_btf *btf, const uint8_t *begin, const uint8_t *end);

void image_btf_done(struct image_btf *btf);

#endif
