/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/pages-map.h"
#include "kho/kernel/pages.h"

#ifndef __NR_cachestat
#define __NR_cachestat 451
#endif

/* include/uapi/linux/mman.h of 6.5 and newer */
struct cache_range {
	uint64_t offset, length;
};

struct cache_counts {
	uint64_t cached, dirty, writeback, evicted, recently_evicted;
};

#define WINDOW (64UL << 20)

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static int is_shmem(const struct memory_kind *kind)
{
	return kind->type == MEMORY_MEMFD || kind->type == MEMORY_TMPFS ||
	       kind->type == MEMORY_LINKED || kind->type == MEMORY_READ_ONLY;
}

static int count_incore(int fd, uint64_t offset, size_t length, uint8_t *vector, uint64_t *count)
{
	_cleanup_pages_map_ struct pages_map map = {};
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int r = pages_map_open(&map, fd, (off_t)offset, length, page);

	if (r < 0)
		return r;
	r = pages_map_incore(&map, vector);
	if (r < 0)
		return r;
	for (size_t i = 0; i < map.length / page; i++)
		*count += vector[i] & 1;
	return 0;
}

/* Another open file of the same memory: a seek on fd itself would move its owner's position. */
static int reopen(int fd)
{
	char path[32];
	int r;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = open(path, O_RDONLY | O_CLOEXEC);
	return r < 0 ? -errno : r;
}

/* Where the next data after AT is, or the end: a hole of 1 TiB takes a minute to look through. */
static uint64_t skip_hole(int fd, uint64_t at, uint64_t size)
{
	off_t data = fd < 0 ? (off_t)at : lseek(fd, (off_t)at, SEEK_DATA);

	if (data < 0)
		return errno == ENXIO ? size : at;
	return (uint64_t)data / WINDOW * WINDOW > at ? (uint64_t)data / WINDOW * WINDOW : at;
}

/*
 * For kernels built without cachestat(2): allocated blocks are in memory or swapped out
 * (mm/shmem.c, shmem_recalc_inode), and mincore(2) tells which are in memory.
 */
static int resident_by_mincore(int fd, const struct memory_kind *kind, uint64_t *ret_present,
			       uint64_t *ret_swapped)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	_cleanup_free_ uint8_t *vector = malloc(WINDOW / page);
	_cleanup_close_ int seeker = reopen(fd);
	uint64_t allocated = least(kind->blocks * 512, (kind->size + page - 1) & ~(page - 1));
	uint64_t pages = 0;

	if (!vector)
		return -ENOMEM;
	for (uint64_t at = 0; pages * page < allocated; at += WINDOW) {
		int r;

		at = skip_hole(seeker, at, kind->size);
		if (at >= kind->size)
			break;
		r = count_incore(fd, at, least(WINDOW, kind->size - at), vector, &pages);
		if (r < 0)
			return r;
	}
	*ret_present = least(pages * page, kind->size);
	*ret_swapped = allocated > pages * page ? allocated - pages * page : 0;
	return 0;
}

int pages_resident(int fd, uint64_t *ret_present, uint64_t *ret_swapped)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct cache_counts counts;
	struct memory_kind kind;
	int r = memory_identify(fd, &kind);

	if (r < 0)
		return r;
	if (!is_shmem(&kind))
		return -EOPNOTSUPP;
	if (kind.size == 0) {
		*ret_present = *ret_swapped = 0;
		return 0;
	}
	/* mm/filemap.c, filemap_cachestat: what is evicted from a shmem file is in swap */
	struct cache_range range = {.length = kind.size};

	if (syscall(__NR_cachestat, fd, &range, &counts, 0) < 0)
		return errno == ENOSYS ? resident_by_mincore(fd, &kind, ret_present, ret_swapped)
				       : -errno;
	*ret_present = least(counts.cached * page, kind.size);
	*ret_swapped = counts.evicted * page;
	return 0;
}
