/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_TRANSPORT_SPOOL_H
#define KHO_TRANSPORT_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kho/transport/carrier.h"

/*
 * A spool is a directory with one of the name kho-UPDATE for each update whose copies are there,
 * for root alone: a file a region, and the handover tree, which is written last.
 */
#define SPOOL_TREE "tree"
#define SPOOL_UPDATE_MAX 17

/* What an update has left in a spool. */
struct spool_entry {
	char update_id[SPOOL_UPDATE_MAX];
	bool complete;	   /* its tree is there: it was about to be carried out */
	uint64_t bytes;	   /* on disk */
	size_t n_files;	   /* regions */
	int64_t time_usec; /* when it was last changed, CLOCK_REALTIME */
};

/* All of a spool, by name; *ret is the caller's to free. A directory that is not there is empty. */
int spool_list(const char *where, struct spool_entry **ret, size_t *ret_n);

/* The tree of an update, as it was sealed; the caller's to free. -ENOENT: it is not complete. */
int spool_read_tree(const char *where, const char *update_id, void **ret, size_t *ret_size);

/* Where it is unless the operator says otherwise: in the state directory. The caller's to free. */
char *spool_default(void);

#endif
