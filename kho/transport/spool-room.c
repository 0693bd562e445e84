/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/transport/spool-room.h"

#include <fcntl.h>
#include <libgen.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <time.h>

#include "kho/core/cleanup.h"
#include "kho/transport/copy-slice.h"
#include "kho/transport/message.h"
#include "kho/transport/spool-file.h"

/* The tree, directories, and what others write meanwhile. */
#define RESERVE ((uint64_t)4 << 20)
/* Written to find out how fast the disk is; less would be in its cache. */
#define PROBE_SIZE ((size_t)8 << 20)

/* The directory itself, or where it is to be made. */
static int open_nearest(const char *where)
{
	int fd = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *copy = NULL;

	if (fd >= 0)
		return fd;
	if (errno != ENOENT)
		return -errno;
	copy = strdup(where);
	if (!copy)
		return -ENOMEM;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int check_kind(int dir, const char *where, char **ret_message)
{
	struct statfs fs;

	if (fstatfs(dir, &fs) < 0)
		return -errno;
	if (fs.f_type != TMPFS_MAGIC && fs.f_type != RAMFS_MAGIC)
		return 0;
	message_set(ret_message,
		    "%s is memory that the next kernel does not have: name a directory on a disk "
		    "(--kho-spool=DIR)",
		    where);
	return -EOPNOTSUPP;
}

static int check_space(int dir, const char *where, uint64_t need, char **ret_message)
{
	char buf[2][BYTES_MAX];
	struct statvfs fs;
	uint64_t available;

	if (fstatvfs(dir, &fs) < 0)
		return -errno;
	available = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (fs.f_flag & ST_RDONLY) {
		message_set(ret_message,
			    "%s is read-only: name another directory (--kho-spool=DIR)", where);
		return -EROFS;
	}
	if (need <= available)
		return 0;
	message_set(ret_message,
		    "copies need %s on disk, and %s has %s: make room, or name another directory "
		    "(--kho-spool=DIR)",
		    format_bytes(buf[0], need), where, format_bytes(buf[1], available));
	return -ENOSPC;
}

static uint64_t now_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Not zeros, nor anything else that a file system could make less of. */
static int fill(int memory)
{
	uint64_t *data = mmap(NULL, PROBE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	uint64_t x = now_usec() | 1;

	if (data == MAP_FAILED)
		return -errno;
	for (size_t i = 0; i < PROBE_SIZE / sizeof(*data); i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		data[i] = x;
	}
	munmap(data, PROBE_SIZE);
	return 0;
}

/* Microseconds that a copy of PROBE_SIZE bytes takes, synced, into a file that has no name. */
static int measure(int dir, uint64_t *ret)
{
	_cleanup_close_ int memory = copy_memory_new(PROBE_SIZE, 0), fd = -EBADF;
	struct carrier_item item = {.fd = memory, .size = PROBE_SIZE};
	struct copy_progress progress = {};
	uint64_t begin;
	int r = memory < 0 ? memory : fill(memory);

	if (r < 0)
		return r;
	fd = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	begin = now_usec();
	r = spool_file_write(fd, "", &item, &progress);
	if (r < 0 || fsync(fd) < 0)
		return r < 0 ? r : -errno;
	*ret = now_usec() - begin;
	return 0;
}

int spool_room(const char *where, size_t n_regions, uint64_t bytes, uint64_t *ret_usec,
	       char **ret_message)
{
	/* Every region's first block, its last page, and of the slices' digests what is not there
	 * for each slice.
	 */
	uint64_t need = bytes + spool_file_overhead(bytes) +
			n_regions * 3 * (uint64_t)COPY_PAGE_SIZE + RESERVE;
	_cleanup_close_ int dir = -EBADF;
	uint64_t usec = 0;
	int r;

	if (!where) {
		message_set(ret_message,
			    "copies on disk are switched off (Spool=no, --kho-spool=no)");
		return -EPERM;
	}
	dir = open_nearest(where);
	r = dir < 0 ? dir : check_kind(dir, where, ret_message);

	if (r >= 0)
		r = check_space(dir, where, need, ret_message);
	if (r >= 0)
		r = measure(dir, &usec);
	/* A file system that has no files without names is no reason not to use it. */
	if (r == -EOPNOTSUPP && dir >= 0 && ret_message && !*ret_message) {
		*ret_usec = 0;
		return 0;
	}
	if (r >= 0)
		*ret_usec = (uint64_t)((double)usec * (double)need / PROBE_SIZE);
	else if (ret_message && !*ret_message)
		message_set(ret_message, "%s can't be used for copies: %s", where, strerror(-r));
	return r;
}
