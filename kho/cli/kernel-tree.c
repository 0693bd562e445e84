/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/cli/kernel-tree.h"

#include <fcntl.h>
#include <string.h>

#include "kho/cli/json.h"
#include "kho/cli/kernel-tree-json.h"
#include "kho/cli/kernel-tree-print.h"
#include "kho/cli/say.h"

static int print_json(const struct kernel_tree *tree, const struct kernel_blob *blob)
{
	_cleanup_json_ sd_json_variant *document = NULL;
	int r;

	r = blob ? kernel_blob_to_json(blob, &document) : kernel_tree_to_json(tree, &document);
	if (r >= 0)
		json_print(document);
	return r;
}

static int print_raw(const struct kernel_blob *blob)
{
	if (!blob->bytes)
		return blob->error;
	fwrite(blob->bytes, 1, blob->size, stdout);
	return fflush(stdout) == EOF ? -EIO : 0;
}

static int print(const struct kernel_tree *tree, const struct kernel_blob *blob,
		 enum tree_form form)
{
	switch (form) {
	case TREE_RAW:
		return print_raw(blob ?: &tree->root);
	case TREE_JSON:
		return print_json(tree, blob);
	default:
		return blob ? kernel_blob_print(stdout, blob) : kernel_tree_print(stdout, tree);
	}
}

static int read_tree(enum kernel_side side, struct kernel_tree *tree)
{
	_cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	*tree = (struct kernel_tree){};
	return root < 0 ? -errno : kernel_tree_read(root, side, tree);
}

/* What keeps it from being shown in that form; NULL: nothing does. */
static const char *missing(const struct kernel_tree *tree, const struct kernel_blob *blob,
			   const char *name, enum tree_form form)
{
	if (name && !blob)
		return "no blob of that name is handed over (kho tree --kernel= lists them)";
	if (form == TREE_RAW && !name && tree->reason)
		return tree->reason;
	return NULL;
}

enum exit_code show_kernel_tree(enum kernel_side side, const char *name, enum tree_form form)
{
	_cleanup_(kernel_tree_done) struct kernel_tree tree;
	const struct kernel_blob *blob;
	const char *reason;
	int r;

	r = read_tree(side, &tree);
	/* A program that asks gets an answer all the same. */
	if (r == -ENOENT && (form != TREE_JSON || name)) {
		say("%s", tree.reason);
		return EXIT_LOCAL;
	}
	if (r == 0 || r == -ENOENT) {
		blob = name ? kernel_tree_find(&tree, name) : NULL;
		reason = missing(&tree, blob, name, form);
		if (reason) {
			say("%s%s%s", name ?: "", name ? ": " : "", reason);
			return EXIT_LOCAL;
		}
		r = print(&tree, blob, form);
	}
	if (r < 0)
		say("can't show the kernel's tree: %s", strerror(-r));
	return r < 0 ? EXIT_LOCAL : EXIT_DONE;
}
