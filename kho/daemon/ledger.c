/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <sys/stat.h>

#include "kho/core/cleanup.h"
#include "kho/core/paths.h"
#include "kho/daemon/ledger.h"

static int write_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		size -= n;
	}
	return 0;
}

static int write_synced(int dir, const char *name, const void *data, size_t size)
{
	_cleanup_close_ int fd = -EBADF;
	int r;

	fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = write_all(fd, data, size);
	if (r < 0)
		return r;
	return fsync(fd) < 0 ? -errno : 0;
}

static int open_state_dir(void)
{
	int fd;

	if (mkdir(state_dir(), 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open(state_dir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int ledger_write(const char *file, const struct handover *handover)
{
	_cleanup_close_ int dir = -EBADF;
	_cleanup_free_ char *incomplete = NULL;
	_cleanup_free_ void *blob = NULL;
	size_t size;
	int r;

	r = handover_build(handover, &blob, &size);
	if (r < 0)
		return r;
	dir = open_state_dir();
	if (dir < 0)
		return dir;
	if (asprintf(&incomplete, "%s.new", file) < 0)
		return -ENOMEM;
	r = write_synced(dir, incomplete, blob, size);
	if (r >= 0 && renameat(dir, incomplete, dir, file) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(dir, incomplete, 0);
		return r;
	}
	return fsync(dir) < 0 ? -errno : 0;
}

int ledger_read(const char *file, struct handover **ret)
{
	_cleanup_close_ int dir = -EBADF, fd = -EBADF;
	_cleanup_free_ char *data = NULL;
	struct stat st;
	size_t have = 0;

	dir = open_state_dir();
	if (dir < 0)
		return dir;
	fd = openat(dir, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > HANDOVER_SIZE_MAX)
		return -EBADMSG;
	data = malloc(st.st_size + 1);
	if (!data)
		return -ENOMEM;
	while (have < (size_t)st.st_size) {
		ssize_t n = read(fd, data + have, st.st_size - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		have += n;
	}
	return handover_parse(data, have, ret);
}

int ledger_set_aside(const char *file)
{
	_cleanup_close_ int dir = open_state_dir();
	_cleanup_free_ char *aside = NULL;

	if (dir < 0)
		return dir;
	if (asprintf(&aside, "%s.damaged", file) < 0)
		return -ENOMEM;
	return renameat(dir, file, dir, aside) < 0 ? -errno : 0;
}

int ledger_remove(const char *file)
{
	_cleanup_close_ int dir = open_state_dir();

	if (dir < 0)
		return dir;
	if (unlinkat(dir, file, 0) < 0)
		return errno == ENOENT ? 0 : -errno;
	return fsync(dir) < 0 ? -errno : 0;
}
