/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/core/tree.h"

#include <ctype.h>
#include <libfdt.h>
#include <string.h>

#include "kho/core/opaque.h"
#include "kho/core/tree-fields.h"

static bool has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* A tree may be compatible with more than one version; one that this code can read is enough. */
static int check_compatible(const void *fdt)
{
	int size, n;
	const char *value = fdt_getprop(fdt, 0, TREE_COMPATIBLE, &size);

	if (!value || size == 0 || value[size - 1] != '\0')
		return -EBADMSG;
	if (fdt_stringlist_search(fdt, 0, TREE_COMPATIBLE, HANDOVER_COMPATIBLE) >= 0)
		return 0;
	n = fdt_stringlist_count(fdt, 0, TREE_COMPATIBLE);
	for (int i = 0; i < n; i++, value += strlen(value) + 1)
		if (has_prefix(value, TREE_COMPATIBLE_ANY) &&
		    isdigit((unsigned char)value[strlen(TREE_COMPATIBLE_ANY)]))
			return -EPROTONOSUPPORT;
	return -EBADMSG;
}

static int read_moment(struct handover *handover, const char *name, const void *value, int size)
{
	int moment = moment_from_string(name);

	if (moment < 0)
		return opaque_add_property(&handover->unknown_in_timeline, name, value, size);
	if (size != sizeof(uint64_t))
		return -EBADMSG;
	handover->moments[moment] = fdt64_ld(value);
	return 0;
}

static int read_timeline(struct handover *handover, const void *fdt, int node)
{
	int item, r = 0;

	fdt_for_each_property_offset (item, fdt, node) {
		const char *name;
		int size;
		const void *value = fdt_getprop_by_offset(fdt, item, &name, &size);

		r = read_moment(handover, name, value, size);
		if (r < 0)
			return r;
	}
	fdt_for_each_subnode (item, fdt, node) {
		r = opaque_add_node(&handover->unknown_in_timeline, fdt, item);
		if (r < 0)
			return r;
	}
	return 0;
}

/* What a single property can't tell: whether they go together, and with the node's name. */
static bool region_is_sane(const struct region *region, const char *node_name)
{
	char name[sizeof(TREE_REGION_PREFIX) + 8];

	snprintf(name, sizeof(name), TREE_REGION_PREFIX "%x", region->id);
	return region->id > 0 && strcmp(name, node_name) == 0 && region->size < REGION_SIZE_MAX;
}

static int read_region(struct handover *handover, const void *fdt, int node, const char *owner)
{
	_cleanup_region_ struct region *region = calloc(1, sizeof(*region));
	int child, r;

	if (!region)
		return -ENOMEM;
	r = fields_read(fdt, node, region_fields, n_region_fields, region, &region->unknown);
	if (r < 0)
		return r;
	fdt_for_each_subnode (child, fdt, node) {
		r = opaque_add_node(&region->unknown, fdt, child);
		if (r < 0)
			return r;
	}
	region->owner = strdup(owner);
	if (!region->owner)
		return -ENOMEM;
	if (!region_is_sane(region, fdt_get_name(fdt, node, NULL)) ||
	    region->id >= handover->next_region_id)
		return -EBADMSG;
	r = handover_add_region(handover, region);
	if (r < 0)
		return r == -ENOMEM ? r : -EBADMSG;
	TAKE_PTR(region);
	return 0;
}

static int read_owner(struct handover *handover, const void *fdt, int node,
		      struct owner_extra *extra)
{
	struct owner_node owner = {0};
	int child, r;

	r = fields_read(fdt, node, &owner_field, 1, &owner, &extra->unknown);
	extra->owner = owner.owner;
	if (r < 0)
		return r;
	fdt_for_each_subnode (child, fdt, node) {
		if (has_prefix(fdt_get_name(fdt, child, NULL), TREE_REGION_PREFIX))
			r = read_region(handover, fdt, child, extra->owner);
		else
			r = opaque_add_node(&extra->unknown, fdt, child);
		if (r < 0)
			return r;
	}
	return 0;
}

static int compare_owners(const void *a, const void *b)
{
	return strcmp(((const struct owner_extra *)a)->owner,
		      ((const struct owner_extra *)b)->owner);
}

/* All owners were collected: sorts them, and keeps those with something to keep. */
static int finish_owners(struct handover *handover)
{
	struct owner_extra *extras = handover->owner_extras;
	size_t n = handover->n_owner_extras, kept = 0;

	if (n > 1)
		qsort(extras, n, sizeof(*extras), compare_owners);
	for (size_t i = 1; i < n; i++)
		if (strcmp(extras[i - 1].owner, extras[i].owner) == 0)
			return -EBADMSG;
	for (size_t i = 0; i < n; i++) {
		if (extras[i].unknown)
			extras[kept++] = extras[i];
		else
			free(extras[i].owner);
	}
	handover->n_owner_extras = kept;
	return 0;
}

static int read_regions(struct handover *handover, const void *fdt, int node)
{
	struct opaque **unknown = &handover->unknown_in_regions;
	size_t n_owners = 0;
	int item, r;

	r = fields_read(fdt, node, NULL, 0, NULL, unknown);
	if (r < 0)
		return r;
	fdt_for_each_subnode (item, fdt, node)
		n_owners += has_prefix(fdt_get_name(fdt, item, NULL), TREE_OWNER_PREFIX);
	handover->owner_extras = calloc(n_owners + 1, sizeof(*handover->owner_extras));
	if (!handover->owner_extras)
		return -ENOMEM;
	fdt_for_each_subnode (item, fdt, node) {
		if (has_prefix(fdt_get_name(fdt, item, NULL), TREE_OWNER_PREFIX))
			r = read_owner(handover, fdt, item,
				       &handover->owner_extras[handover->n_owner_extras++]);
		else
			r = opaque_add_node(unknown, fdt, item);
		if (r < 0)
			return r;
	}
	return finish_owners(handover);
}

static int read_root(struct handover *handover, const void *fdt)
{
	bool has_regions = false;
	int node, r;

	r = fields_read(fdt, 0, handover_fields, n_handover_fields, handover, &handover->unknown);
	if (r < 0)
		return r;
	if (handover->next_region_id == 0)
		return -EBADMSG;
	fdt_for_each_subnode (node, fdt, 0) {
		const char *name = fdt_get_name(fdt, node, NULL);

		if (strcmp(name, TREE_TIMELINE) == 0) {
			r = read_timeline(handover, fdt, node);
		} else if (strcmp(name, TREE_REGIONS) == 0) {
			r = read_regions(handover, fdt, node);
			has_regions = true;
		} else {
			r = opaque_add_node(&handover->unknown, fdt, node);
		}
		if (r < 0)
			return r;
	}
	return has_regions ? 0 : -EBADMSG;
}

int handover_parse(const void *blob, size_t size, struct handover **ret)
{
	_cleanup_handover_ struct handover *handover = NULL;
	_cleanup_free_ void *fdt = NULL;
	int r;

	r = tree_copy_checked(blob, size, &fdt);
	if (r < 0)
		return r;
	r = check_compatible(fdt);
	if (r < 0)
		return r;
	handover = handover_new();
	if (!handover)
		return -ENOMEM;
	r = read_root(handover, fdt);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(handover);
	return 0;
}
