/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kho/cli/json.h"
#include "kho/cli/kernel-tree-json.h"
#include "kho/cli/kernel-tree-print.h"
#include "kho/kernel/kernel-blob.h"

static void require(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "fuzz-kernel-tree: %s\n", what);
	abort();
}

static void check_print(const struct kernel_tree *tree)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	require(f, "out of memory");
	require(kernel_tree_print(f, tree) == 0, "can't be printed");
	fclose(f);
	require(memchr(text, '\033', size) == NULL, "prints what a terminal obeys");
}

static void check_json(const struct kernel_tree *tree)
{
	_cleanup_json_ sd_json_variant *document = NULL, *back = NULL;
	_cleanup_free_ char *text = NULL;

	require(kernel_tree_to_json(tree, &document) == 0, "is no JSON");
	require(sd_json_variant_format(document, 0, &text) >= 0, "out of memory");
	require(sd_json_parse(text, 0, &back, NULL, NULL) >= 0, "its JSON can't be read back");
}

/* The bytes under every name that means something, from both sides. */
static void check_as(enum kernel_side side, const char *name, const uint8_t *data, size_t size)
{
	struct kernel_blob blob = {.name = (char *)name, .size = size};
	struct kernel_tree tree = {
		.side = side, .generation = KHO_STATELESS, .blobs = &blob, .n_blobs = 1};

	/* Of exactly that size, and never NULL. */
	blob.bytes = malloc(size ? size : 1);
	require(blob.bytes, "out of memory");
	memcpy(blob.bytes, data, size);
	blob.form = kernel_form_of(side, name, blob.bytes, size);
	tree.root = blob;
	check_print(&tree);
	check_json(&tree);
	free(blob.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"memblock", "kho_test", "LUO", "kexec-metadata", "fdt"};
	struct kernel_node node;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		check_as(KERNEL_OUT, names[i], data, size);
		(void)kernel_tree_node(data, size, names[i], &node);
	}
	check_as(KERNEL_IN, "LUO", data, size);
	return 0;
}
