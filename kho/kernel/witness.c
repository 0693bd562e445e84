/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <libfdt.h>
#include <string.h>

#include "kho/core/cleanup.h"
#include "kho/core/tree-fields.h"
#include "kho/kernel/kernel-blob.h"
#include "kho/kernel/kernel-tree.h"
#include "kho/kernel/witness.h"

/* One string of the kernel's; what is none of its strings is nobody's. */
static int add(struct abi *abi, const char *string, size_t size)
{
	return memchr(string, '\0', size) ? abi_add(abi, string) : 0;
}

/* 1 if any differs; each is added all the same. */
static int add_compatible(struct abi *abi, const void *fdt, int node)
{
	int size, disputed = 0;
	const char *strings = fdt_getprop(fdt, node, "compatible", &size);

	while (strings && size > 0) {
		size_t length = strnlen(strings, (size_t)size);
		int r = add(abi, strings, (size_t)size);

		if (r < 0)
			return r;
		disputed |= r;
		strings += length + 1;
		size -= (int)length + 1;
	}
	return disputed;
}

/* The root's string, and those of the nodes right below it. */
static int add_tree(struct abi *abi, const void *fdt)
{
	int disputed = add_compatible(abi, fdt, 0), node;

	if (disputed < 0)
		return disputed;
	fdt_for_each_subnode (node, fdt, 0) {
		int r = add_compatible(abi, fdt, node);

		if (r < 0)
			return r;
		disputed |= r;
	}
	return disputed;
}

static int add_blob(struct abi *abi, const struct kernel_blob *blob)
{
	_cleanup_free_ void *fdt = NULL;
	struct kernel_luo luo;
	struct kernel_cut cut;
	int r;

	if (!blob || !blob->bytes)
		return 0;
	switch (blob->form) {
	case KERNEL_FORM_TREE:
		r = tree_copy_checked(blob->bytes, blob->size, &fdt);
		if (r < 0)
			return r == -ENOMEM ? r : 0;
		return add_tree(abi, fdt);
	case KERNEL_FORM_CUT:
		r = kernel_cut_parse(blob->bytes, blob->size, &cut);
		return r < 0 ? 0 : abi_add(abi, cut.compatible);
	case KERNEL_FORM_LUO:
		r = kernel_luo_parse(blob->bytes, blob->size, &luo);
		return r < 0 ? 0 : abi_add(abi, luo.compatible);
	default:
		return 0;
	}
}

/* What cannot be read, for want of rights or of debugfs, is no witness. */
static int add_side(int root_fd, enum kernel_side side, const char *name, struct abi *abi)
{
	_cleanup_(kernel_tree_done) struct kernel_tree tree = {};
	int r = kernel_tree_read(root_fd, side, &tree);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	return add_blob(abi, kernel_tree_find(&tree, name));
}

int witness_read(int root_fd, struct abi *abi)
{
	/* Not LUO of the other side: the kernel frees what was handed over. */
	static const struct {
		enum kernel_side side;
		const char *name;
	} blobs[] = {
		{KERNEL_OUT, "fdt"},
		{KERNEL_IN, "fdt"},
		{KERNEL_OUT, "LUO"},
	};
	int disputed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(blobs); i++) {
		int r = add_side(root_fd, blobs[i].side, blobs[i].name, abi);

		if (r < 0)
			return r;
		disputed |= r;
	}
	return disputed;
}
