/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/transport/spool-file.h"

#include <endian.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

#define MAGIC "KHOSPOOL"
#define VERSION 1
#define ID_LENGTH 16

struct header {
	char magic[8];
	uint32_t version;
	uint32_t slice_size;
	uint64_t size;
	uint64_t data_offset;
	uint32_t region;
	uint32_t reserved;
	char update_id[ID_LENGTH];
	uint8_t table_digest[COPY_DIGEST_SIZE];
	uint8_t digest[COPY_DIGEST_SIZE]; /* of all before */
};
_Static_assert(sizeof(struct header) == 88, "the format has no padding");

typedef uint8_t slice_digest[COPY_DIGEST_SIZE];

struct spool_file {
	int fd;
	uint64_t data_offset;
	slice_digest *table; /* all zeros: that slice is */
};

static size_t table_size(uint64_t size)
{
	return copy_slices(size) * sizeof(slice_digest);
}

static uint64_t data_offset(uint64_t size)
{
	uint64_t pages = (table_size(size) + COPY_PAGE_SIZE - 1) / COPY_PAGE_SIZE;

	return (1 + pages) * COPY_PAGE_SIZE;
}

uint64_t spool_file_overhead(uint64_t size)
{
	return data_offset(size);
}

static int write_at(int fd, const void *data, size_t size, uint64_t at)
{
	while (size > 0) {
		ssize_t n = pwrite(fd, data, size, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data = (const uint8_t *)data + n;
		size -= n;
		at += n;
	}
	return 0;
}

static int read_at(int fd, void *data, size_t size, uint64_t at)
{
	while (size > 0) {
		ssize_t n = pread(fd, data, size, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EBADMSG;
		data = (uint8_t *)data + n;
		size -= n;
		at += n;
	}
	return 0;
}

static void digest(const void *data, size_t size, uint8_t ret[COPY_DIGEST_SIZE])
{
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(&canonical, XXH3_128bits(data, size));
	memcpy(ret, canonical.digest, COPY_DIGEST_SIZE);
}

static void make_header(const struct spool_file *file, const char *update_id,
			const struct carrier_item *item, struct header *ret)
{
	*ret = (struct header){.version = htole32(VERSION),
			       .slice_size = htole32(COPY_SLICE_SIZE),
			       .size = htole64(item->size),
			       .data_offset = htole64(file->data_offset),
			       .region = htole32(item->id)};
	memcpy(ret->magic, MAGIC, sizeof(ret->magic));
	memcpy(ret->update_id, update_id, strnlen(update_id, ID_LENGTH));
	digest(file->table, table_size(item->size), ret->table_digest);
	digest(ret, offsetof(struct header, digest), ret->digest);
}

static int put_slice(void *userdata, const struct copy_slice *slice)
{
	struct spool_file *file = userdata;
	uint64_t base = file->data_offset + slice->number * COPY_SLICE_SIZE;

	for (size_t i = 0; i < slice->n_runs; i++) {
		const struct copy_run *run = &slice->runs[i];
		int r = write_at(file->fd, slice->data + run->offset, run->length,
				 base + run->offset);

		if (r < 0)
			return r;
	}
	memcpy(file->table[slice->number], slice->digest, COPY_DIGEST_SIZE);
	/* The disk is to be busy from the start, and not only when all is written. */
	(void)sync_file_range(file->fd, (off_t)base, (off_t)slice->length, SYNC_FILE_RANGE_WRITE);
	return 0;
}

int spool_file_write(int fd, const char *update_id, const struct carrier_item *item,
		     struct copy_progress *progress)
{
	_cleanup_free_ slice_digest *table =
		calloc(copy_slices(item->size) + 1, sizeof(slice_digest));
	struct spool_file file = {.fd = fd, .data_offset = data_offset(item->size), .table = table};
	struct header header;
	int r;

	if (!table)
		return -ENOMEM;
	if (ftruncate(fd, (off_t)(file.data_offset + item->size)) < 0)
		return -errno;
	r = copy_out(item->fd, item->size, &(struct copy_sink){put_slice, &file}, progress);
	if (r >= 0)
		r = write_at(fd, table, table_size(item->size), COPY_PAGE_SIZE);
	if (r < 0)
		return r;
	make_header(&file, update_id, item, &header);
	return write_at(fd, &header, sizeof(header), 0);
}

/* What it says of itself is what it would say if it were whole. */
static int check_header(struct spool_file *file, const char *update_id,
			const struct carrier_item *item)
{
	struct header header, expected;
	struct stat st;
	int r;

	if (fstat(file->fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != file->data_offset + item->size)
		return -EBADMSG;
	r = read_at(file->fd, &header, sizeof(header), 0);
	if (r >= 0)
		r = read_at(file->fd, file->table, table_size(item->size), COPY_PAGE_SIZE);
	if (r < 0)
		return r;
	make_header(file, update_id, item, &expected);
	return memcmp(&header, &expected, sizeof(header)) ? -EBADMSG : 0;
}

static int get_slice(void *userdata, struct copy_slice *slice, uint8_t ret_digest[COPY_DIGEST_SIZE])
{
	static const slice_digest empty;
	const struct spool_file *file = userdata;
	uint64_t at = file->data_offset + slice->number * COPY_SLICE_SIZE;
	int r;

	memcpy(ret_digest, file->table[slice->number], COPY_DIGEST_SIZE);
	if (!memcmp(ret_digest, empty, sizeof(empty)))
		return 0;
	r = read_at(file->fd, slice->data, slice->length, at);
	/* It is in memory twice otherwise. */
	(void)posix_fadvise(file->fd, (off_t)at, (off_t)slice->length, POSIX_FADV_DONTNEED);
	return r;
}

int spool_file_read(int fd, const char *update_id, struct carrier_item *item,
		    struct copy_progress *progress)
{
	_cleanup_free_ slice_digest *table =
		calloc(copy_slices(item->size) + 1, sizeof(slice_digest));
	struct spool_file file = {.fd = fd, .data_offset = data_offset(item->size), .table = table};
	_cleanup_close_ int memory = -EBADF;
	int r;

	if (!table)
		return -ENOMEM;
	r = check_header(&file, update_id, item);
	if (r < 0)
		return r;
	memory = copy_memory_new(item->size, item->page_size);
	if (memory < 0)
		return memory;
	r = copy_in(memory, item->size, &(struct copy_source){get_slice, &file}, progress);
	if (r < 0)
		return r;
	item->fd = TAKE_FD(memory);
	return 0;
}
