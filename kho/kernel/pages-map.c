/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <sys/mman.h>

#include "kho/kernel/file.h"
#include "kho/kernel/pages-map.h"

int pages_map_open(struct pages_map *ret, int fd, off_t offset, size_t length, size_t align)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t whole = (length + page - 1) & ~(page - 1);
	size_t reserve = whole + align;
	uint8_t *aligned;
	void *reserved =
		mmap(NULL, reserve, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (reserved == MAP_FAILED)
		return -errno;
	aligned = (uint8_t *)(((uintptr_t)reserved + align - 1) & ~(uintptr_t)(align - 1));
	if (mmap(aligned, whole, PROT_READ, MAP_SHARED | MAP_FIXED | MAP_NORESERVE, fd, offset) ==
	    MAP_FAILED) {
		int r = -errno;

		munmap(reserved, reserve);
		return r;
	}
	*ret = (struct pages_map){
		.address = aligned,
		.length = whole,
		.reserved = reserved,
		.reserved_length = reserve,
	};
	return 0;
}

void pages_map_close(struct pages_map *map)
{
	if (map->reserved)
		munmap(map->reserved, map->reserved_length);
	*map = (struct pages_map){};
}

int pages_map_incore(const struct pages_map *map, uint8_t *ret)
{
	return mincore(map->address, map->length, ret) < 0 ? -errno : 0;
}

size_t pages_huge_size(void)
{
	char line[32];

	if (read_line_at(AT_FDCWD, "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", line,
			 sizeof(line)) < 0)
		return 0;
	return strtoul(line, NULL, 10);
}
