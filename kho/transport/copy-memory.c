/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "kho/kernel/hugepages.h"
#include "kho/kernel/pages.h"
#include "kho/transport/copy.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif
#ifndef MFD_HUGE_SHIFT
#define MFD_HUGE_SHIFT 26
#endif
#define ALLOCATED_UNIT 512 /* of st_blocks */

int copy_bytes_max(int fd, uint64_t *ret)
{
	uint64_t present, swapped;
	struct stat st;

	if (pages_resident(fd, &present, &swapped) >= 0) {
		*ret = present + swapped;
		return 0;
	}
	if (fstat(fd, &st) < 0)
		return -errno;
	*ret = (uint64_t)st.st_blocks * ALLOCATED_UNIT;
	return 0;
}

/* Linux 6.3; before that memory can always be executed. */
static int create(unsigned int flags)
{
	int fd = memfd_create("kho", flags | MFD_EXEC);

	return fd < 0 && errno == EINVAL ? memfd_create("kho", flags) : fd;
}

static unsigned int page_size_flags(uint64_t page_size)
{
	if (page_size == 0)
		return 0;
	return MFD_HUGETLB | (unsigned int)__builtin_ctzll(page_size) << MFD_HUGE_SHIFT;
}

int copy_memory_new(uint64_t size, uint64_t page_size)
{
	_cleanup_close_ int fd = -EBADF;
	int r;

	if (page_size > 0) {
		r = hugepages_provide(page_size, size);
		if (r < 0)
			return r;
	}
	fd = create(MFD_CLOEXEC | MFD_ALLOW_SEALING | page_size_flags(page_size));
	if (fd < 0)
		return -errno;
	return ftruncate(fd, (off_t)size) < 0 ? -errno : TAKE_FD(fd);
}
