/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_TRANSPORT_COPY_SLICE_H
#define KHO_TRANSPORT_COPY_SLICE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Memory is copied slice by slice, so that cores share the work and no more is in flight than a
 * slice a thread. Of a slice only its runs cross: the longest pieces of pages that are not all
 * zeros. They follow from the content alone, whatever holds it and wherever its holes are.
 */
#define COPY_SLICE_SIZE ((size_t)2 << 20)
#define COPY_PAGE_SIZE ((size_t)4096)
#define COPY_RUNS_MAX (COPY_SLICE_SIZE / COPY_PAGE_SIZE / 2)
#define COPY_DIGEST_SIZE 16

/* From offset (of the slice, a multiple of COPY_PAGE_SIZE), so many bytes. */
struct copy_run {
	uint32_t offset;
	uint32_t length;
};

struct copy_slice {
	uint64_t number; /* it begins COPY_SLICE_SIZE times that far in the memory */
	uint8_t *data;	 /* COPY_SLICE_SIZE bytes, zeros included: the content as it stands */
	size_t length;	 /* of data that belongs to the memory: less than that only in the last */
	struct copy_run runs[COPY_RUNS_MAX];
	size_t n_runs;			  /* 0: nothing but zeros */
	size_t n_bytes;			  /* of all runs */
	uint8_t digest[COPY_DIGEST_SIZE]; /* XXH3-128, canonical, of the runs; zeros if none */

	struct XXH3_state_s *state; /* private */
};

/* Data and all. NULL: out of memory. */
struct copy_slice *copy_slice_new(void);
struct copy_slice *copy_slice_free(struct copy_slice *slice);

/* Slices of memory of that size, in bytes; and how long that one is. */
uint64_t copy_slices(uint64_t size);
size_t copy_slice_length(uint64_t size, uint64_t number);

/* Finds the runs of data[0, length), and their digest. */
void copy_slice_scan(struct copy_slice *slice);

#endif
