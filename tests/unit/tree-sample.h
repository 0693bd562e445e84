/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_UNIT_TREE_SAMPLE_H
#define TESTS_UNIT_TREE_SAMPLE_H

#include "kho/core/tree.h"

/* A handover in which every field has a value: three regions of two owners. */
struct handover *sample_handover(void);

/* The same, flattened, in a buffer with SPARE bytes more for libfdt to edit it in place. */
void *sample_tree(size_t spare, size_t *ret_size);

/* Adds a region, which must succeed. */
struct region *add_region(struct handover *handover, const char *owner, const char *name);

/* Builds and parses, which must succeed. */
void *build(const struct handover *handover, size_t *ret_size);
struct handover *parse(const void *blob, size_t size);

/* Parses, which must fail so. */
void assert_parse_fails(const void *blob, size_t size, int error);

/* Its error or 0. */
int parse_error(const void *blob, size_t size);

/* Parses one that libfdt can read, which must fail with -EBADMSG. */
void assert_refused(const void *fdt);

/* Paths of all nodes of the sample, and of those alone. */
#define N_SAMPLE_NODES 8
extern const char *const sample_nodes[N_SAMPLE_NODES];

/* A sample tree to be spoilt; freed by the caller. */
void *editable(void);

/* Offset of a node, and a change of one of its properties, which must be possible. */
int node_at(const void *fdt, const char *path);
void set(void *fdt, const char *path, const char *name, const void *value, int size);

/* A tree by libfdt's sequential writer, which checks nothing: all but its nodes, and its end. */
void begin_tree(void *fdt, int size);
void empty_node(void *fdt, const char *name);
int end_tree(void *fdt); /* what parsing it returns */

#endif
