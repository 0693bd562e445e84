/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/core/tree.h"

#include <inttypes.h>
#include <libfdt.h>
#include <string.h>

#include "kho/core/opaque.h"
#include "kho/core/tree-fields.h"

/* Ends a node: what is unknown in it, its end. */
static int finish_node(void *fdt, const struct opaque *unknown)
{
	int r = fdt_write_errno(opaque_write_nodes(unknown, fdt));

	return r < 0 ? r : fdt_write_errno(fdt_end_node(fdt));
}

/* Begins a node with its fields: what is unknown among its properties too. */
static int begin_node(void *fdt, const char *name, const struct field *fields, size_t n,
		      const void *object, const struct opaque *unknown)
{
	int r = fdt_write_errno(fdt_begin_node(fdt, name));

	if (r == 0)
		r = fields_write(fdt, fields, n, object);
	if (r == 0)
		r = fdt_write_errno(opaque_write_properties(unknown, fdt));
	return r;
}

static int write_region(void *fdt, const struct region *region)
{
	char name[sizeof(TREE_REGION_PREFIX) + 8];
	int r;

	if (region->id == 0 || region->size >= REGION_SIZE_MAX)
		return -EINVAL;
	snprintf(name, sizeof(name), TREE_REGION_PREFIX "%" PRIx32, region->id);
	r = begin_node(fdt, name, region_fields, n_region_fields, region, region->unknown);
	return r < 0 ? r : finish_node(fdt, region->unknown);
}

/* The node of one owner, and in it the first N of REGIONS. */
static int write_owner(void *fdt, unsigned int index, const char *owner,
		       const struct opaque *unknown, struct region *const *regions, size_t n)
{
	const struct owner_node node = {.owner = (char *)owner};
	char name[sizeof(TREE_OWNER_PREFIX) + 8];
	int r;

	snprintf(name, sizeof(name), TREE_OWNER_PREFIX "%x", index);
	r = begin_node(fdt, name, &owner_field, 1, &node, unknown);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = write_region(fdt, regions[i]);
	return r < 0 ? r : finish_node(fdt, unknown);
}

/* How many of the regions belong to the owner of the first. */
static size_t count_of_owner(struct region *const *regions, size_t n)
{
	size_t i = 1;

	while (i < n && strcmp(regions[i]->owner, regions[0]->owner) == 0)
		i++;
	return i;
}

/* Goes through regions and owner_extras at once, both being sorted by owner. */
static int write_owners(void *fdt, const struct handover *handover)
{
	size_t i = 0, j = 0, n = handover->n_regions, n_extras = handover->n_owner_extras;
	int r = 0;

	for (unsigned int index = 0; r == 0 && (i < n || j < n_extras); index++) {
		struct region *const *regions = i < n ? &handover->regions[i] : NULL;
		const struct owner_extra *extra = j < n_extras ? &handover->owner_extras[j] : NULL;
		int order = !regions ? 1 : !extra ? -1 : strcmp(regions[0]->owner, extra->owner);
		size_t n_of_owner = order > 0 ? 0 : count_of_owner(regions, n - i);

		r = write_owner(fdt, index, order > 0 ? extra->owner : regions[0]->owner,
				order < 0 ? NULL : extra->unknown, regions, n_of_owner);
		i += n_of_owner;
		j += order >= 0;
	}
	return r;
}

static int write_regions(void *fdt, const struct handover *handover)
{
	const struct opaque *unknown = handover->unknown_in_regions;
	int r = begin_node(fdt, TREE_REGIONS, NULL, 0, NULL, unknown);

	if (r == 0)
		r = write_owners(fdt, handover);
	return r < 0 ? r : finish_node(fdt, unknown);
}

static int write_timeline(void *fdt, const struct handover *handover)
{
	const struct opaque *unknown = handover->unknown_in_timeline;
	int r = fdt_write_errno(fdt_begin_node(fdt, TREE_TIMELINE));

	for (int i = 0; r == 0 && i < _MOMENT_MAX; i++)
		if (handover->moments[i])
			r = fdt_write_errno(
				fdt_property_u64(fdt, moment_to_string(i), handover->moments[i]));
	if (r == 0)
		r = fdt_write_errno(opaque_write_properties(unknown, fdt));
	return r < 0 ? r : finish_node(fdt, unknown);
}

static int write_tree(void *fdt, const struct handover *handover)
{
	int r = fdt_write_errno(fdt_begin_node(fdt, ""));

	if (r == 0)
		r = fdt_write_errno(fdt_property_string(fdt, TREE_COMPATIBLE, HANDOVER_COMPATIBLE));
	if (r == 0)
		r = fields_write(fdt, handover_fields, n_handover_fields, handover);
	if (r == 0)
		r = fdt_write_errno(opaque_write_properties(handover->unknown, fdt));
	if (r == 0)
		r = write_timeline(fdt, handover);
	if (r == 0)
		r = write_regions(fdt, handover);
	return r < 0 ? r : finish_node(fdt, handover->unknown);
}

/* -E2BIG: CAPACITY is too small. */
static int build(const struct handover *handover, size_t capacity, void **ret_blob,
		 size_t *ret_size)
{
	_cleanup_free_ void *blob = malloc(capacity);
	void *smaller;
	int r;

	if (!blob)
		return -ENOMEM;
	r = fdt_create(blob, (int)capacity);
	if (r == 0)
		r = fdt_finish_reservemap(blob);
	if (r < 0)
		return fdt_write_errno(r);
	r = write_tree(blob, handover);
	if (r == 0)
		r = fdt_write_errno(fdt_finish(blob));
	if (r < 0)
		return r;
	*ret_size = fdt_totalsize(blob);
	smaller = realloc(blob, *ret_size);
	if (smaller)
		blob = smaller;
	*ret_blob = TAKE_PTR(blob);
	return 0;
}

int handover_build(const struct handover *handover, void **ret_blob, size_t *ret_size)
{
	size_t capacity = 64 << 10;
	int r;

	/* Most trees are small, and a large one costs a seventh more by this. */
	while ((r = build(handover, capacity, ret_blob, ret_size)) == -E2BIG &&
	       capacity < HANDOVER_SIZE_MAX)
		capacity = 8 * capacity < HANDOVER_SIZE_MAX ? 8 * capacity : HANDOVER_SIZE_MAX;
	return r;
}
