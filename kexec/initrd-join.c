/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "kexec/initrd-join.h"
#include "kho/core/cleanup.h"
#include "kho/core/paths.h"
#include "kho/kernel/file.h"
#include "kho/kernel/next-kernel.h"

#define NEW "initrd-XXXXXX"
#define ALL "initrd-??????"
#define CHUNK ((size_t)1 << 30)

static int fail(char **ret_error, int error, const char *path)
{
	if (asprintf(ret_error, "%s: %s", path, strerror(-error)) >= 0)
		return error;
	*ret_error = NULL;
	return -ENOMEM;
}

static int pad(int fd)
{
	static const char zeroes[4];
	struct stat st;
	size_t missing;

	if (fstat(fd, &st) < 0)
		return -errno;
	missing = initrd_padded((uint64_t)st.st_size) - (uint64_t)st.st_size;
	return write(fd, zeroes, missing) == (ssize_t)missing ? 0 : -EIO;
}

static int append(int fd, const char *path, char **ret_error)
{
	_cleanup_close_ int from = -EBADF;
	uint64_t size;
	ssize_t n;

	from = open_filled_file_at(AT_FDCWD, path, &size, ret_error);
	if (from < 0)
		return from;
	if (pad(fd) < 0)
		return fail(ret_error, -EIO, path);
	while ((n = sendfile(fd, from, NULL, CHUNK)) > 0)
		;
	return n < 0 ? fail(ret_error, -errno, path) : 0;
}

int initrd_join(char *const *paths, char **ret_path, char **ret_error)
{
	_cleanup_free_ char *path = runtime_path(NEW);
	_cleanup_close_ int fd = -EBADF;
	int r = 0;

	*ret_error = NULL;
	if (!path)
		return -ENOMEM;
	if (mkdir(runtime_dir(), 0755) < 0 && errno != EEXIST)
		return fail(ret_error, -errno, runtime_dir());
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return fail(ret_error, -errno, path);
	for (; r >= 0 && *paths; paths++)
		r = append(fd, *paths, ret_error);
	if (r < 0) {
		(void)unlink(path);
		return r;
	}
	*ret_path = TAKE_PTR(path);
	return 0;
}

void initrd_join_remove(const char *except)
{
	_cleanup_free_ char *pattern = runtime_path(ALL);
	glob_t found = {};

	if (!pattern || glob(pattern, GLOB_NOSORT, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		if (!except || strcmp(found.gl_pathv[i], except) != 0)
			(void)unlink(found.gl_pathv[i]);
	globfree(&found);
}
