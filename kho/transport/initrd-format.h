/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_TRANSPORT_INITRD_FORMAT_H
#define KHO_TRANSPORT_INITRD_FORMAT_H

#include "kho/transport/copy-slice.h"

/*
 * Files that a copied update consists of, kho-initrd(8): "update" holds its id, "tree" the handover
 * tree, ID.NUMBER a slice of a region that is not all zeros, and ID.index what has to be there.
 * Numbers are little-endian.
 */
#define INITRD_DIRECTORY "kho/handover"
#define INITRD_UPDATE_FILE "update"
#define INITRD_TREE_FILE "tree"
#define INITRD_NAME_MAX 40

void initrd_index_name(char buf[static INITRD_NAME_MAX], uint32_t id);
void initrd_slice_name(char buf[static INITRD_NAME_MAX], uint32_t id, uint64_t number);

/* What is known of an item in its index. */
struct initrd_index {
	uint64_t size;	    /* bytes of memory */
	uint64_t page_size; /* of hugetlb memory, bytes; 0: it is none */
	uint64_t n_slices;
	uint8_t (*digests)[COPY_DIGEST_SIZE]; /* of each slice; zeros: an empty one */
};

/* An index of nothing but empty slices, to be freed by initrd_index_done(). 0 or -ENOMEM. */
int initrd_index_init(struct initrd_index *index, uint64_t size, uint64_t page_size);
void initrd_index_done(struct initrd_index *index);

/* Writes it; *ret is the caller's to free. 0 or -ENOMEM. */
int initrd_index_build(const struct initrd_index *index, void **ret, size_t *ret_size);

/*
 * Reads one and believes nothing. 0; -EBADMSG it is not whole; -EPROTONOSUPPORT a newer version;
 * -ENOMEM.
 */
int initrd_index_parse(const void *data, size_t size, struct initrd_index *ret);

/* The longest that an index can be: of memory of just under 1 TiB. */
#define INITRD_INDEX_SIZE_MAX ((size_t)16 << 20)

/* A slice file begins with this: how many runs, then each of them; their bytes follow. */
struct initrd_slice_head {
	uint32_t n_runs;
	struct {
		uint32_t offset, length;
	} runs[COPY_RUNS_MAX];
};

/* Bytes of head that count. */
size_t initrd_slice_head_build(const struct copy_slice *slice, struct initrd_slice_head *ret);

/*
 * Fills the slice's data from a file of that size: 0, or -EBADMSG. Whether it is the right content
 * is for its digest to say.
 */
int initrd_slice_parse(const void *file, size_t size, struct copy_slice *slice);

#endif
