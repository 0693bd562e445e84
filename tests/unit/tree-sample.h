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

#endif
