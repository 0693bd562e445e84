/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CORE_OPAQUE_H
#define KHO_CORE_OPAQUE_H

/*
 * Properties and nodes of a handover tree that this version does not know: kept as they are, and
 * written back. NULL stands for none.
 */
struct opaque;

/* Copies a property into *OPAQUE, which is made where it is NULL. -ENOMEM. */
int opaque_add_property(struct opaque **opaque, const char *name, const void *value, int size);

/* Copies the node at that offset of FDT, which must have been checked, with all below it. -ENOMEM.
 */
int opaque_add_node(struct opaque **opaque, const void *fdt, int node);

/*
 * Write into a tree that is being written sequentially; properties come first in a node. Return 0
 * or a libfdt error.
 */
int opaque_write_properties(const struct opaque *opaque, void *fdt);
int opaque_write_nodes(const struct opaque *opaque, void *fdt);

void opaque_free(struct opaque *opaque);

#endif
