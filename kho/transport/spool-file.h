/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_TRANSPORT_SPOOL_FILE_H
#define KHO_TRANSPORT_SPOOL_FILE_H

#include "kho/transport/carrier.h"

/*
 * The file of one region in a spool: a block with what it is, the digests of its slices, and its
 * content, which begins at a multiple of COPY_PAGE_SIZE and has holes where the memory is zero.
 * Numbers are little-endian. What is written last is the first block: without it, it is no copy.
 */

/* Bytes that such a file takes beside the content of the region. */
uint64_t spool_file_overhead(uint64_t size);

/* Writes it; fd is an empty file, and stays the caller's. Not synced. */
int spool_file_write(int fd, const char *update_id, const struct carrier_item *item,
		     struct copy_progress *progress);

/*
 * Reads it into new memory; item->fd is set. -EBADMSG: damaged, not of that region, not of that
 * update, or of another size; else the errors of copy_in() and copy_memory_new().
 */
int spool_file_read(int fd, const char *update_id, struct carrier_item *item,
		    struct copy_progress *progress);

#endif
