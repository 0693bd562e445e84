/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_PAGES_MAP_H
#define KHO_KERNEL_PAGES_MAP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "kho/core/cleanup.h"

/* A read-only shared mapping of a part of a file, in which nothing is faulted in. */
struct pages_map {
	uint8_t *address;
	size_t length; /* bytes, whole pages */
	void *reserved;
	size_t reserved_length;
};

/*
 * Maps length bytes of fd from offset (a multiple of the page size) at an address that is aligned
 * to align bytes (a power of two). Errors: as mmap(2) gives them.
 */
int pages_map_open(struct pages_map *ret, int fd, off_t offset, size_t length, size_t align);

void pages_map_close(struct pages_map *map);

#define _cleanup_pages_map_ _cleanup_(pages_map_close)

/* One byte a page, bit 0: whether it is in memory (mincore(2)). 0, or a negative error. */
int pages_map_incore(const struct pages_map *map, uint8_t *ret);

/* Size of the largest folios of shmem files in bytes; 0 without transparent huge pages. */
size_t pages_huge_size(void);

#endif
