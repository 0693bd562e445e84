/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "kexec/image.h"
#include "kho/core/cleanup.h"

/* Holds the header of every kind, and the release of a bzImage: its setup part is 256 sectors. */
#define HEAD_SIZE (256 * 512)

void image_done(struct image *image)
{
	free(image->path);
	free(image->release);
	*image = (struct image){};
}

static int fail(char **ret_error, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(char **ret_error, int error, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (vasprintf(ret_error, format, ap) < 0) {
		*ret_error = NULL;
		error = -ENOMEM;
	}
	va_end(ap);
	return error;
}

/* Opens a file of which something is to be read. Returns an fd, the caller's. */
static int open_file(const char *path, uint64_t *ret_size, char **ret_error)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fail(ret_error, -errno, "%s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return fail(ret_error, -EISDIR, "%s is a directory", path);
	if (!S_ISREG(st.st_mode))
		return fail(ret_error, -EINVAL, "%s is not a regular file", path);
	if (st.st_size == 0)
		return fail(ret_error, -ENODATA, "%s is empty", path);
	*ret_size = st.st_size;
	return TAKE_FD(fd);
}

int initrd_check(const char *path, char **ret_error)
{
	_cleanup_close_ int fd = -EBADF;
	uint64_t size;

	fd = open_file(path, &size, ret_error);
	return fd < 0 ? fd : 0;
}

/* Up to HEAD_SIZE bytes from the start of the file. Returns how many. */
static ssize_t read_head(int fd, uint8_t *head)
{
	size_t done = 0;

	while (done < HEAD_SIZE) {
		ssize_t r = pread(fd, head + done, HEAD_SIZE - done, done);

		if (r < 0)
			return -errno;
		if (r == 0)
			break;
		done += r;
	}
	return done;
}

int image_check(const char *path, struct image *ret, char **ret_error)
{
	_cleanup_(image_done) struct image image = {};
	_cleanup_free_ uint8_t *head = malloc(HEAD_SIZE);
	_cleanup_close_ int fd = -EBADF;
	const char *reason;
	uint64_t size;
	ssize_t n;
	int r;

	if (!head)
		return -ENOMEM;
	fd = open_file(path, &size, ret_error);
	if (fd < 0)
		return fd;
	n = read_head(fd, head);
	if (n < 0)
		return fail(ret_error, n, "%s: %s", path, strerror(-n));
	r = image_header_check(head, n, size, &image.release, &reason);
	if (r < 0)
		return fail(ret_error, r, "%s %s", path, reason);
	image.path = realpath(path, NULL);
	if (!image.path)
		return fail(ret_error, -errno, "%s: %s", path, strerror(errno));
	*ret = image;
	image = (struct image){};
	return 0;
}
