/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_TRANSPORT_COPY_H
#define KHO_TRANSPORT_COPY_H

#include <stdatomic.h>
#include <stdint.h>

#include "kho/core/cleanup.h"
#include "kho/transport/copy-slice.h"

DEFINE_CLEANUP_FUNC(struct copy_slice *, copy_slice_free)

/* How far a copy has come, over all memory that goes with it, and whether it need go on. */
struct copy_progress {
	const atomic_bool *cancel; /* NULL: nothing cancels it */
	atomic_ullong n_read;	   /* bytes looked at, zeros and holes included */
	atomic_ullong n_copied;	   /* bytes that were put, or got */
};

/*
 * Where slices go. Called from several threads at once, in any order, for slices with a run only;
 * the slice is the caller's. 0, or a negative errno, which ends the copy.
 */
struct copy_sink {
	int (*put)(void *userdata, const struct copy_slice *slice);
	void *userdata;
};

/*
 * Where slices come from. Called from several threads at once, once for each slice that the memory
 * has. number, data (all zeros) and length are set: it fills data. With ret_digest all zeros the
 * slice is to have been empty; else what was filled in has to have that digest. 0, or a negative
 * errno, which ends the copy.
 */
struct copy_source {
	int (*get)(void *userdata, struct copy_slice *slice, uint8_t ret_digest[COPY_DIGEST_SIZE]);
	void *userdata;
	/* The slice is in memory, and what it came from not needed any more. May be NULL. */
	void (*got)(void *userdata, const struct copy_slice *slice);
};

/*
 * Copies size bytes of the memory behind fd to a sink, over all cores. Moves no file position,
 * fills no hole and swaps nothing in for good. Errors: the sink's; -ECANCELED; -ENODATA the memory
 * is shorter than that; -ENOMEM; what reading gives. Blocks.
 */
int copy_out(int fd, uint64_t size, const struct copy_sink *sink, struct copy_progress *progress);

/*
 * The other way: fd is memory of at least size bytes that is all zeros (copy_memory_new). What is
 * zero stays a hole. Errors: the source's; -EBADMSG a slice is not what it was; -ECANCELED;
 * -ENOMEM; what writing gives. Blocks.
 */
int copy_in(int fd, uint64_t size, const struct copy_source *source,
	    struct copy_progress *progress);

/*
 * Bytes that a copy of the memory behind fd takes at most: what is in memory, or swapped out; zero
 * pages are not known of before they are read. Errors: fstat(2)'s.
 */
int copy_bytes_max(int fd, uint64_t *ret);

/*
 * New memory of that size, the caller's to close: a memfd that seals can be put on, with pages of
 * page_size bytes if that is not 0 (hugetlb; more of them are added to the kernel's pool if it has
 * too few). Errors: memfd_create(2)'s, ftruncate(2)'s.
 */
int copy_memory_new(uint64_t size, uint64_t page_size);

#endif
