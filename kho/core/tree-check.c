/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/core/tree-fields.h"

#include <ctype.h>
#include <libfdt.h>
#include <string.h>

#include "kho/core/tree.h"

#define NAME_BYTES_MAX 63

struct names {
	const char **names;
	size_t n, n_allocated;
};

/*
 * What has been seen so far in the nodes that are open: the root's is the first. Releases of libfdt
 * differ in what of the nesting fdt_check_full() looks at, so all of it is looked at here.
 */
struct walk {
	struct names properties[TREE_DEPTH_MAX];
	struct names nodes[TREE_DEPTH_MAX];
	int depth;
	bool root_seen;
};

static void walk_done(struct walk *walk)
{
	for (int i = 0; i < TREE_DEPTH_MAX; i++) {
		free(walk->properties[i].names);
		free(walk->nodes[i].names);
	}
}

static bool name_is_valid(const char *name, const char *punctuation)
{
	size_t length = strnlen(name, NAME_BYTES_MAX + 1);

	for (size_t i = 0; i < length; i++)
		if (!isascii(name[i]) || (!isalnum(name[i]) && !strchr(punctuation, name[i])))
			return false;
	return length > 0 && length <= NAME_BYTES_MAX;
}

static int add_name(struct names *names, const char *name, const char *punctuation)
{
	if (!name_is_valid(name, punctuation))
		return -EBADMSG;
	if (names->n == names->n_allocated) {
		size_t n = names->n ? 2 * names->n : 16;
		const char **array = reallocarray(names->names, n, sizeof(*array));

		if (!array)
			return -ENOMEM;
		names->names = array;
		names->n_allocated = n;
	}
	names->names[names->n++] = name;
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Whether no name is there twice; forgets them all. */
static bool finish_names(struct names *names)
{
	bool unique = true;

	if (names->n > 1)
		qsort(names->names, names->n, sizeof(*names->names), compare);
	for (size_t i = 1; unique && i < names->n; i++)
		unique = strcmp(names->names[i - 1], names->names[i]) != 0;
	names->n = 0;
	return unique;
}

static int begin_node(struct walk *walk, const void *fdt, int offset)
{
	int r = 0;

	if (walk->depth == TREE_DEPTH_MAX || (walk->depth == 0 && walk->root_seen))
		return -EBADMSG;
	walk->root_seen = true;
	if (walk->depth > 0)
		r = add_name(&walk->nodes[walk->depth - 1], fdt_get_name(fdt, offset, NULL),
			     ",._+-@");
	walk->depth++;
	return r;
}

static int property(struct walk *walk, const void *fdt, int offset)
{
	const char *name;
	int size;

	/* libfdt would not find a property that comes after a node. */
	if (walk->depth == 0 || walk->nodes[walk->depth - 1].n > 0)
		return -EBADMSG;
	/* Nor do all releases of it see that the size is negative. */
	if (!fdt_getprop_by_offset(fdt, offset, &name, &size) || size < 0)
		return -EBADMSG;
	return add_name(&walk->properties[walk->depth - 1], name, ",._+-?#");
}

static int end_node(struct walk *walk)
{
	if (walk->depth == 0)
		return -EBADMSG;
	walk->depth--;
	if (!finish_names(&walk->properties[walk->depth]) ||
	    !finish_names(&walk->nodes[walk->depth]))
		return -EBADMSG;
	return 0;
}

static int check_nodes(const void *fdt)
{
	_cleanup_(walk_done) struct walk walk = {0};
	int next = 0, r = 0;

	while (r == 0) {
		int offset = next;
		uint32_t tag = fdt_next_tag(fdt, offset, &next);

		if (tag != FDT_END && next <= offset)
			return -EBADMSG;
		switch (tag) {
		case FDT_BEGIN_NODE:
			r = begin_node(&walk, fdt, offset);
			break;
		case FDT_PROP:
			r = property(&walk, fdt, offset);
			break;
		case FDT_END_NODE:
			r = end_node(&walk);
			break;
		case FDT_END:
			/* What can't be read looks like the end, but has no next. */
			return next < 0 || walk.depth > 0 || !walk.root_seen ? -EBADMSG : 0;
		}
	}
	return r;
}

int tree_copy_checked(const void *blob, size_t size, void **ret)
{
	_cleanup_free_ void *copy = NULL;
	int r;

	if (size < sizeof(struct fdt_header))
		return -EBADMSG;
	/* What is behind the tree is none of it, and may be large. */
	if (size > HANDOVER_SIZE_MAX)
		size = HANDOVER_SIZE_MAX;
	copy = malloc(size);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, blob, size);
	if (fdt_check_header(copy) < 0 || fdt_totalsize(copy) > size || fdt_version(copy) < 17 ||
	    fdt_size_dt_strings(copy) > TREE_STRINGS_MAX)
		return -EBADMSG;
	/* libfdt 1.6 can crash or never end in fdt_check_full() on what is refused before it. */
	r = check_nodes(copy);
	if (r < 0)
		return r;
	if (fdt_check_full(copy, size) < 0)
		return -EBADMSG;
	*ret = TAKE_PTR(copy);
	return 0;
}
