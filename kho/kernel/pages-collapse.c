/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/pages-map.h"
#include "kho/kernel/pages.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

/* How much is mapped at once, a multiple of every size of huge page. */
#define WINDOW (1UL << 30)

static uint64_t now_usec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/*
 * A chunk of which every page is in memory. Anything else stays as it is, since collapsing would
 * allocate what is a hole and swap in (mm/khugepaged.c, collapse_file).
 */
static bool is_whole(const uint8_t *vector, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		if (!(vector[i] & 1))
			return false;
	return true;
}

/* A chunk that the kernel can't collapse, because somebody pins its pages, stays as it is. */
static int collapse_chunk(uint8_t *address, size_t size)
{
	if (madvise(address, size, MADV_COLLAPSE) == 0)
		return 0;
	return errno == ENOMEM || errno == EINVAL ? -errno : 0;
}

static int collapse_window(int fd, uint64_t *offset, size_t length, size_t huge,
			   uint64_t deadline_usec)
{
	_cleanup_pages_map_ struct pages_map map = {};
	size_t pages = huge / (size_t)sysconf(_SC_PAGESIZE);
	_cleanup_free_ uint8_t *vector = NULL;
	int r = pages_map_open(&map, fd, (off_t)*offset, length, huge);

	if (r < 0)
		return r;
	vector = malloc(length / huge * pages);
	if (!vector)
		return -ENOMEM;
	r = pages_map_incore(&map, vector);
	if (r < 0)
		return r;
	for (size_t at = 0; at < length; at += huge, *offset += huge) {
		if (now_usec() >= deadline_usec)
			return 0;
		if (!is_whole(vector + at / huge * pages, pages))
			continue;
		r = collapse_chunk(map.address + at, huge);
		if (r < 0)
			return r;
	}
	return 1;
}

int pages_collapse(int fd, uint64_t *offset, uint64_t deadline_usec)
{
	size_t huge = pages_huge_size();
	struct memory_kind kind;
	uint64_t end;
	int r = memory_identify(fd, &kind);

	if (r < 0)
		return r;
	if (huge == 0)
		return -EOPNOTSUPP;
	/* What is left at the end is less than a large folio: filling it up would cost memory. */
	end = kind.size - kind.size % huge;
	*offset -= *offset % huge;
	while (*offset < end) {
		size_t length = end - *offset < WINDOW ? end - *offset : WINDOW;

		r = collapse_window(fd, offset, length, huge, deadline_usec);
		if (r <= 0)
			return r;
	}
	return 1;
}
