/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_REGISTRY_H
#define KHO_DAEMON_REGISTRY_H

#include "kho/core/tree.h"

struct custody;

/* What khod keeps: the tree, in a memfd that outlives khod in the fd store, and the fd of each
 * region. Every change goes into the memfd before the function that makes it returns.
 */
struct registry {
	struct handover *tree;
	int tree_fd;
	void *memory; /* of tree_fd, SLOTS_SIZE bytes */
	struct custody *custody;
	size_t n_custody;
};

/* Name of the tree's memfd in the fd store. */
#define REGISTRY_STORE_NAME "tree"

/* An empty registry with a new memfd, put into the fd store. */
int registry_create(struct registry *registry);

/* Goes on from a tree's memfd that came back; owns tree_fd from here, on failure too. Errors:
 * slots_read's, handover_parse's.
 */
int registry_resume(struct registry *registry, int tree_fd);

void registry_close(struct registry *registry);

/* Writes the tree's next generation into the memfd. Errors: handover_build's, -ENOSPC. */
int registry_save(struct registry *registry);

/* Adds a region and its fd, of which the registry takes a duplicate into the fd store too. On
 * success region belongs to the registry; fd stays the caller's. Errors: handover_add_region's,
 * registry_save's, -EMFILE; nothing has changed then.
 */
int registry_add(struct registry *registry, struct region *region, int fd);

/* Holds fd for a region that is in the tree already; owns fd from here, on failure too. */
int registry_hold(struct registry *registry, uint32_t id, int fd);

/* Closes the region's fd, here and in the fd store, and frees the region. */
int registry_remove(struct registry *registry, struct region *region);

/* The registry's own fd of a region; -ENOENT if its memory is not here. */
int registry_fd(const struct registry *registry, const struct region *region);

/* The region that keeps this memory already, or NULL. */
struct region *registry_find_memory(const struct registry *registry, int fd);

#endif
