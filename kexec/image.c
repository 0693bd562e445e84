/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "kexec/image.h"
#include "kho/core/cleanup.h"

/* Holds the header of every kind, and the release of a bzImage: its setup part is 256 sectors. */
#define HEAD_SIZE (256 * 512)
#define BLOCK_SIZE (64 * 1024)

static void archive_freep(struct archive **a)
{
	archive_read_free(*a);
}

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

static struct archive *open_archive(int fd)
{
	_cleanup_(archive_freep) struct archive *a = archive_read_new();
	struct archive_entry *entry;

	if (!a)
		return NULL;
	/* What kexec-tools unpacks; the other filters would start programs. */
	archive_read_support_filter_gzip(a);
	archive_read_support_filter_xz(a);
	archive_read_support_filter_lzma(a);
	archive_read_support_format_raw(a);
	if (archive_read_open_fd(a, fd, BLOCK_SIZE) != ARCHIVE_OK ||
	    archive_read_next_header(a, &entry) != ARCHIVE_OK)
		return NULL;
	return TAKE_PTR(a);
}

/* Reads up to n bytes. Returns how many, or -EBADMSG. */
static int64_t read_up_to(struct archive *a, uint8_t *buf, uint64_t n)
{
	uint64_t done = 0;

	while (done < n) {
		la_ssize_t r = archive_read_data(a, buf + done, n - done);

		if (r < 0)
			return -EBADMSG;
		if (r == 0)
			break;
		done += r;
	}
	return done;
}

/* The first bytes, and the whole size, of what is in the file if it is compressed. */
static int read_head(int fd, uint8_t *head, uint64_t *ret_n, uint64_t *inout_size)
{
	_cleanup_(archive_freep) struct archive *a = open_archive(fd);
	_cleanup_free_ uint8_t *block = NULL;
	int64_t r;

	if (!a)
		return -EBADMSG;
	r = read_up_to(a, head, HEAD_SIZE);
	if (r < 0)
		return r;
	*ret_n = r;
	if (archive_filter_count(a) <= 1)
		return 0;
	*inout_size = r;
	block = malloc(BLOCK_SIZE);
	if (!block)
		return -ENOMEM;
	while ((r = read_up_to(a, block, BLOCK_SIZE)) > 0)
		*inout_size += r;
	return r;
}

int image_check(const char *path, struct image *ret, char **ret_error)
{
	_cleanup_(image_done) struct image image = {};
	_cleanup_free_ uint8_t *head = malloc(HEAD_SIZE);
	_cleanup_close_ int fd = -EBADF;
	const char *reason;
	uint64_t n = 0, size;
	int r;

	if (!head)
		return -ENOMEM;
	fd = open_file(path, &size, ret_error);
	if (fd < 0)
		return fd;
	r = read_head(fd, head, &n, &size);
	if (r == -EBADMSG)
		return fail(ret_error, r, "%s can't be read to its end: it is damaged", path);
	if (r < 0)
		return r;
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
