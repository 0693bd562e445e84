/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/transport/initrd-archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "kho/core/cleanup.h"

/* The fixed part, and the longest path that is ever wanted. */
#define HEADER_MAX 1024
#define MEMBER_ALIGN 4
#define PARTS_MAX 1000 /* a few less than Linux takes at once */

/* What libarchive writes ahead of a member's content, or at the end of an archive. */
struct header {
	uint8_t bytes[HEADER_MAX];
	size_t length;
	bool complete; /* what follows is not wanted */
};

static la_ssize_t take_bytes(struct archive *a, void *userdata, const void *bytes, size_t length)
{
	struct header *header = userdata;

	if (header->complete)
		return (la_ssize_t)length;
	if (length > HEADER_MAX - header->length) {
		archive_set_error(a, ENAMETOOLONG, "the path is too long");
		return -1;
	}
	memcpy(header->bytes + header->length, bytes, length);
	header->length += length;
	return (la_ssize_t)length;
}

/* entry: NULL for the end of an archive. */
static int make_header(struct archive_entry *entry, struct header *ret)
{
	struct archive *a = archive_write_new();
	int r;

	*ret = (struct header){};
	if (!a)
		return -ENOMEM;
	r = archive_write_set_format_cpio_newc(a);
	if (r == ARCHIVE_OK)
		r = archive_write_set_bytes_per_block(a, 0);
	if (r == ARCHIVE_OK)
		r = archive_write_open(a, ret, NULL, take_bytes, NULL);
	if (r == ARCHIVE_OK)
		r = entry ? archive_write_header(a, entry) : archive_write_close(a);
	ret->complete = true;
	r = r == ARCHIVE_OK ? 0 : -(archive_errno(a) ?: EIO);
	archive_write_free(a);
	return r;
}

static uint64_t round_up(uint64_t value, uint64_t align)
{
	return (value + align - 1) / align * align;
}

static int write_parts(int fd, struct iovec *parts, size_t n, uint64_t offset)
{
	while (n > 0) {
		ssize_t done = pwritev(fd, parts, (int)n, (off_t)offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		offset += (uint64_t)done;
		for (; n > 0 && (size_t)done >= parts->iov_len; n--, parts++)
			done -= (ssize_t)parts->iov_len;
		if (n > 0) {
			parts->iov_base = (char *)parts->iov_base + done;
			parts->iov_len -= (size_t)done;
		}
	}
	return 0;
}

/* Space for it is given out first: whoever writes meanwhile writes behind it. */
static int append(struct initrd_archive *archive, const struct header *header,
		  const struct iovec *parts, size_t n_parts, uint64_t size)
{
	static const char zeros[MEMBER_ALIGN];
	struct iovec all[PARTS_MAX + 2];
	uint64_t length = header->length + size, padded = round_up(length, MEMBER_ALIGN);

	if (n_parts > PARTS_MAX)
		return -E2BIG;
	all[0] = (struct iovec){.iov_base = (void *)header->bytes, .iov_len = header->length};
	if (n_parts > 0)
		memcpy(all + 1, parts, n_parts * sizeof(*parts));
	all[n_parts + 1] =
		(struct iovec){.iov_base = (void *)zeros, .iov_len = (size_t)(padded - length)};
	return write_parts(archive->fd, all, n_parts + 2, atomic_fetch_add(&archive->end, padded));
}

static struct archive_entry *entry_new(const char *path, mode_t mode, uint64_t size)
{
	struct archive_entry *entry = archive_entry_new();

	if (!entry)
		return NULL;
	archive_entry_set_pathname(entry, path);
	archive_entry_set_mode(entry, mode);
	archive_entry_set_nlink(entry, 1);
	archive_entry_set_size(entry, (la_int64_t)size);
	return entry;
}

static int add_entry(struct initrd_archive *archive, struct archive_entry *entry,
		     const struct iovec *parts, size_t n_parts, uint64_t size)
{
	struct header header;
	int r;

	if (!entry)
		return -ENOMEM;
	r = make_header(entry, &header);
	archive_entry_free(entry);
	return r < 0 ? r : append(archive, &header, parts, n_parts, size);
}

int initrd_archive_begin(struct initrd_archive *archive, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	archive->fd = fd;
	archive->end = round_up((uint64_t)st.st_size, INITRD_ARCHIVE_ALIGN);
	return 0;
}

int initrd_archive_add_directory(struct initrd_archive *archive, const char *path, mode_t mode)
{
	return add_entry(archive, entry_new(path, S_IFDIR | (mode ?: 0700), 0), NULL, 0, 0);
}

int initrd_archive_add(struct initrd_archive *archive, const char *path, mode_t mode,
		       const struct iovec *parts, size_t n_parts)
{
	uint64_t size = 0;

	for (size_t i = 0; i < n_parts; i++)
		size += parts[i].iov_len;
	if (size > INITRD_MEMBER_MAX)
		return -EFBIG;
	return add_entry(archive, entry_new(path, S_IFREG | mode, size), parts, n_parts, size);
}

/* libarchive writes the target of a link as part of the header. */
int initrd_archive_add_link(struct initrd_archive *archive, const char *path, const char *target)
{
	struct archive_entry *entry = entry_new(path, S_IFLNK | 0777, 0);

	if (entry)
		archive_entry_set_symlink(entry, target);
	return add_entry(archive, entry, NULL, 0, 0);
}

int initrd_archive_end(struct initrd_archive *archive)
{
	struct header header;
	int r = make_header(NULL, &header);

	return r < 0 ? r : append(archive, &header, NULL, 0, 0);
}
