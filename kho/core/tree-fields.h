/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CORE_TREE_FIELDS_H
#define KHO_CORE_TREE_FIELDS_H

#include "kho/core/fields.h"

/* The nodes and properties of a handover tree, as kho-tree(5) has them. */
#define TREE_COMPATIBLE "compatible"
#define TREE_COMPATIBLE_ANY "kho-tools,handover-v"
#define TREE_TIMELINE "timeline"
#define TREE_REGIONS "regions"
#define TREE_OWNER_PREFIX "owner@"
#define TREE_REGION_PREFIX "region@"

/* Nodes below each other in a tree, unknown ones included. */
#define TREE_DEPTH_MAX 16
/* Bytes of all property names together; each name is there once. */
#define TREE_STRINGS_MAX (16 << 10)

extern const struct field handover_fields[], region_fields[];
extern const size_t n_handover_fields, n_region_fields;

/* An owner's node as far as it is known. */
struct owner_node {
	char *owner;
};
extern const struct field owner_field;

/*
 * Copies the tree to where it is aligned and stays as it is, and checks its structure: the blocks,
 * names, their uniqueness among siblings, the depth, that no property comes after a node. *RET is
 * the caller's to free. -EBADMSG; -ENOMEM.
 */
int tree_copy_checked(const void *blob, size_t size, void **ret);

#endif
