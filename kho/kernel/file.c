/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/file.h"

int read_file_at(int root_fd, const char *path, size_t max, char **ret, size_t *ret_size)
{
	_cleanup_close_ int fd = openat(root_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	_cleanup_free_ char *buf = NULL;
	size_t size = 0, room = 0;

	if (fd < 0)
		return -errno;
	for (;;) {
		ssize_t n;

		if (size == room) {
			size_t more = room ? room * 2 : 4096;
			char *grown = realloc(buf, more + 1);

			if (!grown)
				return -ENOMEM;
			buf = grown;
			room = more;
		}
		n = read(fd, buf + size, room - size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		size += (size_t)n;
		if (size > max)
			return -EFBIG;
	}
	buf[size] = '\0';
	*ret = TAKE_PTR(buf);
	if (ret_size)
		*ret_size = size;
	return 0;
}

int read_line_at(int root_fd, const char *path, char *buf, size_t size)
{
	_cleanup_free_ char *text = NULL;
	int r = read_file_at(root_fd, path, 65536, &text, NULL);
	size_t length;

	if (r < 0)
		return r;
	length = strcspn(text, "\n");
	if (length >= size)
		return -EFBIG;
	memcpy(buf, text, length);
	buf[length] = '\0';
	return 0;
}

static int fail(char **ret_message, int error, const char *path, const char *separator,
		const char *what)
{
	if (asprintf(ret_message, "%s%s%s", path, separator, what) >= 0)
		return error;
	*ret_message = NULL;
	return -ENOMEM;
}

int open_filled_file_at(int root_fd, const char *path, uint64_t *ret_size, char **ret_message)
{
	_cleanup_close_ int fd = openat(root_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fail(ret_message, -errno, path, ": ", strerror(errno));
	if (S_ISDIR(st.st_mode))
		return fail(ret_message, -EISDIR, path, " ", "is a directory");
	if (!S_ISREG(st.st_mode))
		return fail(ret_message, -EINVAL, path, " ", "is not a regular file");
	if (st.st_size == 0)
		return fail(ret_message, -ENODATA, path, " ", "is empty");
	*ret_size = (uint64_t)st.st_size;
	return TAKE_FD(fd);
}
