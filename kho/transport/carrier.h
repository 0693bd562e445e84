/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_TRANSPORT_CARRIER_H
#define KHO_TRANSPORT_CARRIER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kho/transport/copy.h"

/* A region that crosses by copy. */
struct carrier_item {
	uint32_t id; /* as in the handover tree */
	int fd;	     /* the caller's */
	uint64_t size;
	uint64_t page_size; /* of hugetlb memory; 0: it is none */
	const char *label;  /* how messages name it */
};

/* A copy that is being made, or that arrived; each carrier has its own. */
struct carrier_load;

/*
 * A way to take copies of regions to the next kernel, whatever kernel that is. Copies are made when
 * their owners are frozen. Every function blocks; a *ret_message (may be NULL) is set on errors
 * only: one line, what and the way out, the caller's to free. where is the carrier's: the
 * directory of the spool.
 */
struct carrier {
	const char *name;   /* as the tree names it: spool, initrd */
	const char *manner; /* by copy on disk */

	/*
	 * Whether so many regions with so many bytes fit, and how long the copy will take there.
	 * Changes nothing. 0; -ENOSPC with the numbers; -EOPNOTSUPP not on this machine; else
	 * what stands in the way.
	 */
	int (*room)(const char *where, size_t n_regions, uint64_t bytes, uint64_t *ret_usec,
		    char **ret_message);

	/*
	 * An fd, the caller's to close, that keeps where mounted until the copies are made, however
	 * much of the machine is shut down before; -ENOENT where there is no such place.
	 */
	int (*hold)(const char *where);
	/* Begins the copies of an update; whatever an earlier try of it has left is removed. */
	int (*create)(const char *where, const char *update_id, struct carrier_load **ret,
		      char **ret_message);
	/* Copies one region, over all cores. */
	int (*put)(struct carrier_load *load, const struct carrier_item *item,
		   struct copy_progress *progress, char **ret_message);
	/* After the last region: what can be done before the tree is final, so that it is timed. */
	int (*flush)(struct carrier_load *load, char **ret_message);
	/*
	 * The last step, with the final handover tree: when it returns 0, all of it would be found
	 * in the next kernel, power failure or not as far as the carrier can tell.
	 */
	int (*seal)(struct carrier_load *load, const void *tree, size_t tree_size,
		    char **ret_message);

	/*
	 * After seal, what the next kernel has to be loaded with: the fd of an archive (memory),
	 * the caller's, once. NULL: nothing, whoever loads it and however.
	 */
	int (*take)(struct carrier_load *load);

	/* In the next kernel: finds what came of that update. -ENOENT: nothing did. */
	int (*open)(const char *where, const char *update_id, struct carrier_load **ret,
		    char **ret_message);
	/*
	 * New memory with the content of a region; item->fd is set, the caller's to close. If it is
	 * set before (else -EBADF), that memory is filled, and it is set after an error too if
	 * there is any: what came that far need not be in the copy any more, so try again with it.
	 * -ENOENT it did not come; -EBADMSG it is damaged; else as copy_in() and copy_memory_new().
	 */
	int (*get)(struct carrier_load *load, struct carrier_item *item,
		   struct copy_progress *progress, char **ret_message);

	/* Frees it; the copies stay. Returns NULL. */
	struct carrier_load *(*close)(struct carrier_load *load);

	/* Removes the copy of one region, which is in good hands; or everything of an update. */
	int (*drop)(const char *where, const char *update_id, uint32_t id);
	int (*discard)(const char *where, const char *update_id);
};

extern const struct carrier carrier_spool;

/*
 * The best carrier that has room, or the named one alone; may_take: whoever loads the next kernel
 * does so with what take() gives. Errors: room()'s, with what each one says in *ret_message.
 */
int carrier_choose(const char *name, bool may_take, const char *where, size_t n_regions,
		   uint64_t bytes, const struct carrier **ret, uint64_t *ret_usec,
		   char **ret_message);

/* In the order in which they are tried; NULL: there are no more. */
const struct carrier *carrier_nth(size_t n);

/* NULL: no such carrier. */
const struct carrier *carrier_find(const char *name);

#endif
