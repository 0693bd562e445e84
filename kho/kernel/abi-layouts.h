/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_ABI_LAYOUTS_H
#define KHO_KERNEL_ABI_LAYOUTS_H

#include <stdbool.h>

#include "kho/kernel/layout.h"

/* Which of the strings of struct abi stands for a structure. */
enum abi_part {
	ABI_KHO,
	ABI_LUO,
	ABI_MEMFD,
};

#define ABI_STRUCTURES 20

/*
 * The structures that one kernel fills in and the next one reads, as one kernel has them: a second
 * witness beside the strings, which people have to change whenever they change a structure.
 */
struct abi_layouts {
	/* Those that are missing, as kernels of another version have others, are all zeroes. */
	struct layout of[ABI_STRUCTURES];
};

/*
 * Adds what the types of a kernel say of those that are not known yet. What is no BTF, or makes no
 * sense, adds nothing: 0; -ENOMEM.
 */
int abi_layouts_add(struct abi_layouts *layouts, const void *btf, size_t size);
void abi_layouts_done(struct abi_layouts *layouts);

/* "struct luo_ser"; NULL: there are not so many. */
const char *abi_structure_name(size_t i);
enum abi_part abi_structure_part(size_t i);

bool abi_layouts_have(const struct abi_layouts *layouts, size_t i);

#endif
