/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/kernel/hugepages.h"

#include <fcntl.h>
#include <inttypes.h>

#include "kho/core/cleanup.h"

/* One directory a page size, below /sys/kernel/mm/hugepages. */
static int open_pool(int root_fd, uint64_t page_size)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "sys/kernel/mm/hugepages/hugepages-%" PRIu64 "kB",
		 page_size / 1024);
	fd = openat(root_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -EOPNOTSUPP : -errno;
	return fd;
}

static FILE *open_number(int pool, const char *name, const char *mode, int flags)
{
	_cleanup_close_ int fd = openat(pool, name, flags | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, mode);

	if (f)
		TAKE_FD(fd);
	return f;
}

static int read_number(int pool, const char *name, uint64_t *ret)
{
	_cleanup_fclose_ FILE *f = open_number(pool, name, "r", O_RDONLY);

	if (!f)
		return -errno;
	return fscanf(f, "%" SCNu64, ret) == 1 ? 0 : -EBADMSG;
}

static int write_number(int pool, const char *name, uint64_t value)
{
	FILE *f = open_number(pool, name, "w", O_WRONLY);

	if (!f)
		return -errno;
	fprintf(f, "%" PRIu64 "\n", value);
	return fclose(f) == 0 ? 0 : -errno;
}

/* What is free, and nobody has been promised. */
static int read_free(int pool, uint64_t *ret)
{
	uint64_t unused, promised;
	int r = read_number(pool, "free_hugepages", &unused);

	if (r >= 0)
		r = read_number(pool, "resv_hugepages", &promised);
	if (r >= 0)
		*ret = unused > promised ? unused - promised : 0;
	return r;
}

int hugepages_provide_at(int root_fd, uint64_t page_size, uint64_t size)
{
	uint64_t need = page_size ? (size + page_size - 1) / page_size : 0, unused, all;
	_cleanup_close_ int pool = open_pool(root_fd, page_size);
	int r;

	if (pool < 0)
		return pool;
	r = read_free(pool, &unused);
	if (r < 0 || unused >= need)
		return r;
	r = read_number(pool, "nr_hugepages", &all);
	if (r >= 0)
		r = write_number(pool, "nr_hugepages", all + need - unused);
	/* It takes what it can, and is no error. */
	if (r >= 0)
		r = read_free(pool, &unused);
	return r < 0 ? r : unused < need ? -ENOMEM : 0;
}

int hugepages_provide(uint64_t page_size, uint64_t size)
{
	_cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return root < 0 ? -errno : hugepages_provide_at(root, page_size, size);
}
