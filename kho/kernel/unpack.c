/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <archive.h>
#include <archive_entry.h>
#include <stdbool.h>
#include <stdio.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/crc32.h"
#include "kho/kernel/unpack.h"

#define CHUNK 65536
#define GZIP_TRAILER 8 /* CRC-32 and size of what was packed */

static const struct compression compressions[] = {
	{"gzip", "\x1f\x8b", 2, ARCHIVE_FILTER_GZIP},
	{"bzip2", "BZh", 3, ARCHIVE_FILTER_BZIP2},
	{"lzma", "\x5d\x00\x00", 3, ARCHIVE_FILTER_LZMA},
	{"xz",
	 "\xfd"
	 "7zXZ\0",
	 6, ARCHIVE_FILTER_XZ},
	{"lzo", "\x89LZO\0", 5, ARCHIVE_FILTER_LZOP},
	{"lz4", "\x02\x21\x4c\x18", 4, ARCHIVE_FILTER_LZ4},
	{"lz4", "\x04\x22\x4d\x18", 4, ARCHIVE_FILTER_LZ4},
	{"zstd", "\x28\xb5\x2f\xfd", 4, ARCHIVE_FILTER_ZSTD},
};

struct source {
	struct span span;
	uint64_t done;
	uint8_t buf[CHUNK];
};

struct progress {
	unpack_sink sink;
	void *userdata;
	uint64_t size, max;
	struct crc32 crc;
};

static void archive_freep(struct archive **archive)
{
	archive_read_free(*archive);
}

const struct compression *compression_of(const uint8_t *head, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(compressions); i++)
		if (n >= compressions[i].magic_size &&
		    memcmp(head, compressions[i].magic, compressions[i].magic_size) == 0)
			return &compressions[i];
	return NULL;
}

static la_ssize_t read_source(struct archive *archive, void *userdata, const void **ret)
{
	struct source *source = userdata;
	ptrdiff_t n = span_read_some(&source->span, source->done, source->buf, CHUNK);

	if (n < 0) {
		archive_set_error(archive, (int)-n, "can't be read: %s", strerror((int)-n));
		return ARCHIVE_FATAL;
	}
	source->done += (uint64_t)n;
	*ret = source->buf;
	return n;
}

static int hand_on(struct progress *progress, const uint8_t *data, size_t n, char **ret_message)
{
	progress->size += n;
	if (progress->size > progress->max)
		return asprintf(ret_message, "unpacks to more than %u MiB, as no kernel does",
				UNPACKED_MAX >> 20) < 0
			       ? -ENOMEM
			       : -EFBIG;
	crc32_add(&progress->crc, data, n);
	return progress->sink(progress->userdata, data, n);
}

static int fail(char **ret_message, struct archive *archive)
{
	const char *error = archive_error_string(archive) ?: "it ends too early";

	return asprintf(ret_message, "is damaged: %s", error) < 0 ? -ENOMEM : -EBADMSG;
}

static bool is_installed(const char *program)
{
	const char *path = getenv("PATH") ?: "";

	while (*path) {
		size_t length = strcspn(path, ":");
		_cleanup_free_ char *file = NULL;

		if (asprintf(&file, "%.*s/%s", (int)length, path, program) < 0)
			file = NULL;
		if (file && access(file, X_OK) == 0)
			return true;
		path += length;
		path += *path == ':';
	}
	return false;
}

/*
 * Exactly this one filter: bidding would unpack what is packed many times over. For lzo, libarchive
 * is mostly built without the library, and then runs a program.
 */
static int append_filter(struct archive *archive, const struct compression *compression,
			 char **ret_message)
{
	int r = archive_read_append_filter(archive, compression->filter);

	if (r == ARCHIVE_WARN && compression->filter == ARCHIVE_FILTER_LZOP &&
	    !is_installed("lzop")) {
		*ret_message = strdup("can't be unpacked without the program lzop: install the "
				      "package lzop");
		return *ret_message ? -ENOPKG : -ENOMEM;
	}
	return r < ARCHIVE_WARN ? fail(ret_message, archive) : 0;
}

static int drain(struct archive *archive, struct progress *progress, char **ret_message)
{
	struct archive_entry *entry;
	int r = archive_read_next_header(archive, &entry);

	while (r == ARCHIVE_OK || r == ARCHIVE_WARN) {
		const void *data;
		la_int64_t offset;
		size_t n;

		r = archive_read_data_block(archive, &data, &n, &offset);
		if (r == ARCHIVE_OK) {
			int error = hand_on(progress, data, n, ret_message);

			if (error != 0)
				return error;
		}
	}
	return r == ARCHIVE_EOF ? 0 : fail(ret_message, archive);
}

static int unpack_compressed(const struct span *span, const struct compression *compression,
			     struct progress *progress, char **ret_message)
{
	_cleanup_(archive_freep) struct archive *archive = archive_read_new();
	_cleanup_free_ struct source *source = malloc(sizeof(*source));
	int r;

	if (!archive || !source)
		return -ENOMEM;
	source->span = *span;
	source->done = 0;
	r = append_filter(archive, compression, ret_message);
	if (r < 0)
		return r;
	if (archive_read_support_format_raw(archive) < ARCHIVE_WARN ||
	    archive_read_open(archive, source, NULL, read_source, NULL) < ARCHIVE_WARN)
		return fail(ret_message, archive);
	return drain(archive, progress, ret_message);
}

static int hand_on_as_is(const struct span *span, struct progress *progress, char **ret_message)
{
	_cleanup_free_ uint8_t *buf = malloc(CHUNK);

	if (!buf)
		return -ENOMEM;
	for (uint64_t at = 0; at < span->size;) {
		ptrdiff_t n = span_read_some(span, at, buf, CHUNK);
		int r;

		if (n <= 0) {
			if (asprintf(ret_message, "can't be read: %s",
				     n < 0 ? strerror((int)-n) : "it became shorter") < 0)
				return -ENOMEM;
			return n < 0 ? (int)n : -EBADMSG;
		}
		r = hand_on(progress, buf, (size_t)n, ret_message);
		if (r != 0)
			return r;
		at += (uint64_t)n;
	}
	return 0;
}

/* libarchive passes over what gzip has at its end. */
static int check_gzip(const struct span *span, const struct progress *progress, char **ret_message)
{
	uint8_t trailer[GZIP_TRAILER];
	int r = span->size < GZIP_TRAILER
			? -ENODATA
			: span_read(span, span->size - GZIP_TRAILER, trailer, GZIP_TRAILER);

	if (r == 0 && get_le32(trailer) == crc32_value(&progress->crc) &&
	    get_le32(trailer + 4) == (uint32_t)progress->size)
		return 0;
	*ret_message = strdup("is damaged: its checksum is not that of its content");
	return *ret_message ? -EBADMSG : -ENOMEM;
}

int unpack(const struct span *span, const struct compression *compression, unpack_sink sink,
	   void *userdata, uint64_t *ret_size, char **ret_message)
{
	struct progress progress = {
		.sink = sink,
		.userdata = userdata,
		.max = compression ? UNPACKED_MAX : UINT64_MAX,
	};
	int r;

	*ret_message = NULL;
	crc32_init(&progress.crc);
	if (compression)
		r = unpack_compressed(span, compression, &progress, ret_message);
	else
		r = hand_on_as_is(span, &progress, ret_message);
	if (r == 0 && compression && compression->filter == ARCHIVE_FILTER_GZIP)
		r = check_gzip(span, &progress, ret_message);
	if (ret_size)
		*ret_size = progress.size;
	return r;
}
