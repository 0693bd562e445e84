/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/abi-layouts.h"

/*
 * include/linux/kho/abi/ and, before 6.19, kernel/kexec_handover.c. The constants lay out the tree
 * of what is preserved. Not here: kho_kexec_metadata, without which nothing is lost.
 */
static const struct {
	const char *name;
	enum abi_part part;
} structures[ABI_STRUCTURES] = {
	{"struct kho_vmalloc", ABI_KHO},
	{"struct kho_vmalloc_hdr", ABI_KHO},
	{"struct kho_vmalloc_chunk", ABI_KHO},
	{"struct kho_radix_node", ABI_KHO},
	{"struct kho_radix_leaf", ABI_KHO},
	{"enum kho_radix_consts", ABI_KHO},
	{"struct khoser_mem_bitmap_ptr", ABI_KHO},
	{"struct khoser_mem_chunk_hdr", ABI_KHO},
	{"struct khoser_mem_chunk", ABI_KHO},
	{"struct kho_mem_phys_bits", ABI_KHO},
	{"struct kho_block_header_ser", ABI_LUO},
	{"struct luo_ser", ABI_LUO},
	{"struct luo_session_header_ser", ABI_LUO},
	{"struct luo_session_ser", ABI_LUO},
	{"struct luo_file_set_ser", ABI_LUO},
	{"struct luo_file_ser", ABI_LUO},
	{"struct luo_flb_header_ser", ABI_LUO},
	{"struct luo_flb_ser", ABI_LUO},
	{"struct memfd_luo_ser", ABI_MEMFD},
	{"struct memfd_luo_folio_ser", ABI_MEMFD},
};

const char *abi_structure_name(size_t i)
{
	return i < ABI_STRUCTURES ? structures[i].name : NULL;
}

enum abi_part abi_structure_part(size_t i)
{
	return structures[i].part;
}

bool abi_layouts_have(const struct abi_layouts *layouts, size_t i)
{
	return layouts->of[i].n_fields > 0;
}

void abi_layouts_done(struct abi_layouts *layouts)
{
	for (size_t i = 0; i < ABI_STRUCTURES; i++)
		layout_done(&layouts->of[i]);
	*layouts = (struct abi_layouts){};
}

/* Which one it is; ABI_STRUCTURES: none of them. */
static size_t find(const struct btf_type *type)
{
	const char *keyword = type->kind == BTF_STRUCT				   ? "struct "
			      : type->kind == BTF_ENUM || type->kind == BTF_ENUM64 ? "enum "
										   : NULL;
	size_t i = 0;

	if (!keyword || (*type->name != 'k' && *type->name != 'l' && *type->name != 'm'))
		return ABI_STRUCTURES;
	for (; i < ABI_STRUCTURES; i++)
		if (strncmp(structures[i].name, keyword, strlen(keyword)) == 0 &&
		    strcmp(structures[i].name + strlen(keyword), type->name) == 0)
			break;
	return i;
}

int abi_layouts_add(struct abi_layouts *layouts, const void *data, size_t size)
{
	_cleanup_(btf_done) struct btf btf = {};
	bool seen[ABI_STRUCTURES] = {};
	int r = btf_open(data, size, &btf);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (uint32_t id = 1; id < btf.n_types; id++) {
		const struct btf_type type = btf_type(&btf, id);
		size_t i = find(&type);

		if (i == ABI_STRUCTURES || seen[i] || abi_layouts_have(layouts, i))
			continue;
		seen[i] = true;
		r = layout_read(&btf, id, &layouts->of[i]);
		if (r == -ENOMEM)
			return r;
	}
	return 0;
}
