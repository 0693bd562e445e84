/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/core/opaque.h"

#include <libfdt.h>
#include <string.h>

#include "kho/core/cleanup.h"

struct property {
	char *name;
	void *value;
	int size;
};

struct node {
	char *name;
	struct opaque *content;
};

struct opaque {
	struct property *properties;
	size_t n_properties;
	struct node *nodes;
	size_t n_nodes;
};

static void opaque_freep(struct opaque **opaque)
{
	opaque_free(*opaque);
}

void opaque_free(struct opaque *opaque)
{
	if (!opaque)
		return;
	for (size_t i = 0; i < opaque->n_properties; i++) {
		free(opaque->properties[i].name);
		free(opaque->properties[i].value);
	}
	for (size_t i = 0; i < opaque->n_nodes; i++) {
		free(opaque->nodes[i].name);
		opaque_free(opaque->nodes[i].content);
	}
	free(opaque->properties);
	free(opaque->nodes);
	free(opaque);
}

static int make(struct opaque **opaque)
{
	if (!*opaque)
		*opaque = calloc(1, sizeof(**opaque));
	return *opaque ? 0 : -ENOMEM;
}

/* ARRAY with room for one more than N; it doubles, so that growing stays linear. */
static void *grow(void *array, size_t n, size_t item)
{
	if (n & (n - 1))
		return array;
	return reallocarray(array, n ? 2 * n : 1, item);
}

int opaque_add_property(struct opaque **opaque, const char *name, const void *value, int size)
{
	_cleanup_free_ char *name_copy = strdup(name);
	_cleanup_free_ void *value_copy = malloc(size ? size : 1);
	struct property *properties;

	if (!name_copy || !value_copy || make(opaque) < 0)
		return -ENOMEM;
	properties = grow((*opaque)->properties, (*opaque)->n_properties, sizeof(*properties));
	if (!properties)
		return -ENOMEM;
	(*opaque)->properties = properties;
	memcpy(value_copy, value, size);
	properties[(*opaque)->n_properties++] = (struct property){
		.name = TAKE_PTR(name_copy),
		.value = TAKE_PTR(value_copy),
		.size = size,
	};
	return 0;
}

static int copy_content(const void *fdt, int node, struct opaque **ret)
{
	int item, r;

	fdt_for_each_property_offset (item, fdt, node) {
		const char *name;
		int size;
		const void *value = fdt_getprop_by_offset(fdt, item, &name, &size);

		r = opaque_add_property(ret, name, value, size);
		if (r < 0)
			return r;
	}
	fdt_for_each_subnode (item, fdt, node) {
		r = opaque_add_node(ret, fdt, item);
		if (r < 0)
			return r;
	}
	return 0;
}

int opaque_add_node(struct opaque **opaque, const void *fdt, int node)
{
	_cleanup_free_ char *name = strdup(fdt_get_name(fdt, node, NULL));
	_cleanup_(opaque_freep) struct opaque *content = NULL;
	struct node *nodes;

	if (!name || make(opaque) < 0 || copy_content(fdt, node, &content) < 0)
		return -ENOMEM;
	nodes = grow((*opaque)->nodes, (*opaque)->n_nodes, sizeof(*nodes));
	if (!nodes)
		return -ENOMEM;
	(*opaque)->nodes = nodes;
	nodes[(*opaque)->n_nodes++] = (struct node){
		.name = TAKE_PTR(name),
		.content = TAKE_PTR(content),
	};
	return 0;
}

int opaque_write_properties(const struct opaque *opaque, void *fdt)
{
	int r = 0;

	for (size_t i = 0; opaque && r == 0 && i < opaque->n_properties; i++) {
		const struct property *property = &opaque->properties[i];

		r = fdt_property(fdt, property->name, property->value, property->size);
	}
	return r;
}

int opaque_write_nodes(const struct opaque *opaque, void *fdt)
{
	int r = 0;

	for (size_t i = 0; opaque && r == 0 && i < opaque->n_nodes; i++) {
		const struct node *node = &opaque->nodes[i];

		r = fdt_begin_node(fdt, node->name);
		if (r == 0)
			r = opaque_write_properties(node->content, fdt);
		if (r == 0)
			r = opaque_write_nodes(node->content, fdt);
		if (r == 0)
			r = fdt_end_node(fdt);
	}
	return r;
}
