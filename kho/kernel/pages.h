/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_PAGES_H
#define KHO_KERNEL_PAGES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What is behind an fd that somebody calls memory. */
enum memory_type {
	MEMORY_MEMFD,	    /* memfd_create(2) */
	MEMORY_TMPFS,	    /* an unlinked file on a tmpfs: as good as a memfd */
	MEMORY_LINKED,	    /* a file on a tmpfs that still has a name */
	MEMORY_READ_ONLY,   /* a memfd, but this fd of it can't be written to */
	MEMORY_EXEC_SEALED, /* a memfd with F_SEAL_EXEC that can still be written to */
	MEMORY_HUGETLB,	    /* memfd_create(2) with MFD_HUGETLB, or a file on a hugetlbfs */
	MEMORY_SECRET,	    /* memfd_secret(2) */
	MEMORY_DMA_BUF,	    /* belongs to a device */
	MEMORY_REGULAR,	    /* a file on a disk or network */
	MEMORY_DIRECTORY,
	MEMORY_PIPE,
	MEMORY_SOCKET,
	MEMORY_DEVICE,	   /* block or character device */
	MEMORY_ANON_INODE, /* eventfd, epoll, KVM … */
	MEMORY_PATH,	   /* opened with O_PATH */
	MEMORY_OTHER,
	_MEMORY_TYPE_MAX,
};

struct memory_kind {
	enum memory_type type;
	uint64_t size;	    /* bytes */
	uint64_t page_size; /* bytes, of hugetlb memory; else 0 */
	uint64_t blocks;    /* of 512 bytes that are allocated, those swapped out included */
	uint32_t seals;	    /* F_SEAL_*; 0 if the fd can't have any */
	uint64_t position;  /* of the open file, bytes */
	uint32_t mode;	    /* permission bits */
	dev_t device;	    /* device and inode: two fds with the same ones are the same memory */
	ino_t inode;
};

/* Looks at fd without reading or changing anything. Errors: -EBADF, what fstat(2) gives. */
int memory_identify(int fd, struct memory_kind *ret);

/* memfd, tmpfs, linked-tmpfs, read-only, hugetlb, pipe, regular-file … Never NULL. */
const char *memory_type_name(enum memory_type type);

/* NULL if it can be handed over, else a sentence that says what to do instead. */
const char *memory_type_advice(enum memory_type type);

/*
 * Bytes of a shmem file that are in memory and that are swapped out; what is neither is a hole.
 * Touches no page. Errors: -EOPNOTSUPP not such a file, -EPERM not allowed to look.
 */
int pages_resident(int fd, uint64_t *ret_present, uint64_t *ret_swapped);

/* What a page with these flags of /proc/kpageflags is, in the kernel's encoding. */
uint32_t pages_flags_memdesc(uint64_t flags, unsigned int order);

#define PAGES_ORDER_MAX 20

struct page_census {
	uint64_t present; /* pages in memory */
	uint64_t swapped;
	uint64_t absent; /* holes */
	uint64_t seen;	 /* pages whose flags were read: fewer than present if sampled */
	uint64_t folios[PAGES_ORDER_MAX + 1]; /* of the seen ones, by order */
	/* What the seen pages are, in the kernel's encoding (kho/core/memdesc.h), with the order
	 * that most of the memory has. File, order 0 if none was seen. */
	uint32_t memdesc;
	bool readable; /* false: the kernel does not show flags (not root, no /proc/kpageflags) */
};

/*
 * What the pages of the shmem file behind fd really are, by /proc/self/pagemap and
 * /proc/kpageflags. Maps pages that are present; fills no hole and swaps nothing in. Looks at about
 * max_pages of them, in windows spread evenly over the file; 0: all. Takes about 5 ms for 4,096
 * small pages. Errors: -EOPNOTSUPP not shmem, -ENOMEM.
 */
int pages_census(int fd, uint64_t max_pages, struct page_census *ret);

/*
 * Makes folios of the largest size (2 MiB on x86) out of small ones with MADV_COLLAPSE, where that
 * needs neither to fill a hole nor to swap in, while others go on reading and writing. Begins at
 * *offset and stores where it ended, so that it can be resumed; ends at end of file or when
 * CLOCK_MONOTONIC has passed deadline_usec (UINT64_MAX: never). Returns 1 at end of file, 0 if time
 * ran out, or an error: -EOPNOTSUPP no transparent huge pages, -ENOMEM. Useless on a file that is
 * preserved already.
 */
int pages_collapse(int fd, uint64_t *offset, uint64_t deadline_usec);

#endif
