/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "kho/cli/copy.h"
#include "kho/cli/room.h"
#include "kho/core/cleanup.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

enum { CHUNK = 1 << 20 };

/* How often the room is looked at while memory fills. */
#define ROOM_STEP (UINT64_C(16) << 20)

static int write_all(int out, const void *data, size_t size)
{
	const char *p = data;

	while (size > 0) {
		ssize_t n = write(out, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

static int copy_by_hand(int fd, int out, off_t offset, off_t end)
{
	_cleanup_free_ char *buffer = malloc(CHUNK);
	int r;

	if (!buffer)
		return -ENOMEM;
	while (offset < end) {
		size_t want = end - offset < CHUNK ? (size_t)(end - offset) : CHUNK;
		ssize_t n = pread(fd, buffer, want, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ENODATA;
		r = write_all(out, buffer, (size_t)n);
		if (r < 0)
			return r;
		offset += n;
	}
	return 0;
}

static int copy_range(int fd, int out, off_t offset, off_t end)
{
	while (offset < end) {
		size_t want = end - offset < 1 << 30 ? (size_t)(end - offset) : 1 << 30;
		ssize_t n = sendfile(out, fd, &offset, want);

		if (n < 0 && errno == EINTR)
			continue;
		/* Not to everything: an O_APPEND file, some terminals. */
		if (n < 0 && (errno == EINVAL || errno == ENOSYS))
			return copy_by_hand(fd, out, offset, end);
		if (n <= 0)
			return n < 0 ? -errno : -ENODATA;
	}
	return 0;
}

static bool can_have_holes(int out)
{
	int flags = fcntl(out, F_GETFL);
	struct stat st;

	return flags >= 0 && !(flags & O_APPEND) && fstat(out, &st) == 0 && S_ISREG(st.st_mode) &&
	       lseek(out, 0, SEEK_CUR) >= st.st_size;
}

/* As copy_range, for an own file description, whose position may change, and an out with holes. */
static int copy_sparse(int fd, int out, off_t size)
{
	off_t base = lseek(out, 0, SEEK_CUR), data, hole = 0;
	int r;

	if (base < 0)
		return -errno;
	while (hole < size) {
		data = lseek(fd, hole, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			break;
		hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);
		if (hole < 0 || lseek(out, base + data, SEEK_SET) < 0)
			return -errno;
		r = copy_range(fd, out, data, hole < size ? hole : size);
		if (r < 0)
			return r;
	}
	if (ftruncate(out, base + size) < 0 || lseek(out, base + size, SEEK_SET) < 0)
		return -errno;
	return 0;
}

int copy_content(int fd, int out)
{
	_cleanup_close_ int own = -EBADF;
	char path[sizeof("/proc/self/fd/-2147483648")];
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	own = open(path, O_RDONLY | O_CLOEXEC);
	if (own >= 0 && can_have_holes(out))
		return copy_sparse(own, out, st.st_size);
	return copy_range(fd, out, 0, st.st_size);
}

/* Bytes that in still has, if it is known: a regular file that lies about nothing. */
static uint64_t known_size(int in)
{
	off_t position = lseek(in, 0, SEEK_CUR);
	struct stat st;

	if (position < 0 || fstat(in, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < position)
		return 0;
	return (uint64_t)(st.st_size - position);
}

static int fill(int in, int memory, uint64_t *ret_size)
{
	_cleanup_free_ char *buffer = malloc(CHUNK);
	uint64_t size = 0, checked = 0;
	int r;

	if (!buffer)
		return -ENOMEM;
	for (;;) {
		ssize_t n = read(in, buffer, CHUNK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		if (size + (uint64_t)n > checked) {
			r = room_check(size, ROOM_STEP);
			if (r < 0)
				return r;
			checked = size + ROOM_STEP;
		}
		r = write_all(memory, buffer, (size_t)n);
		if (r < 0)
			return r;
		size += (uint64_t)n;
	}
	*ret_size = size;
	return 0;
}

static int create_memory(const char *name)
{
	/* The name is a label for /proc alone, and shorter than a region's may be. */
	const char *label = strlen(name) < 200 ? name : "kho";
	int fd;

	fd = memfd_create(label, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	if (fd < 0 && errno == EINVAL) /* before Linux 6.3 */
		fd = memfd_create(label, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd < 0 ? -errno : fd;
}

int copy_to_memory(int in, const char *name, int *ret_fd, uint64_t *ret_size)
{
	_cleanup_close_ int memory = -EBADF;
	int r;

	r = room_check(0, known_size(in));
	if (r < 0)
		return r;
	memory = create_memory(name);
	if (memory < 0)
		return memory;
	r = fill(in, memory, ret_size);
	if (r < 0)
		return r;
	*ret_fd = TAKE_FD(memory);
	return 0;
}
