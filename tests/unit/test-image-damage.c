/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images that are cut, changed or made to do harm: never more is known of one than was in it. */
#include <archive.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <fcntl.h>
#include <cmocka.h>

#include "kho/kernel/image.h"
#include "tests/unit/image-sample.h"

/* Without a file system's help: thousands of them are read. */
static struct image *read_blob(const uint8_t *data, size_t size)
{
	_cleanup_close_ int fd = memfd_create("image", MFD_CLOEXEC);
	_cleanup_close_ int directory = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *message = NULL;
	struct image *image = NULL;
	char name[16];
	int r;

	assert_true(fd >= 0 && directory >= 0);
	assert_int_equal(write(fd, data, size), size);
	snprintf(name, sizeof(name), "%d", fd);
	r = image_read_at(directory, name, &image, &message);
	assert_true((r == 0) == (image != NULL) && (r == 0) == (message == NULL));
	return image;
}

static void make_bzimage(struct blob *to, int filter)
{
	_cleanup_blob_ struct blob kernel = {};

	sample_vmlinux(&kernel, 0xab);
	sample_string(&kernel, "kho-v4");
	sample_string(&kernel, "luo-v5");
	sample_handler(&kernel, "memfd-v2");
	assert_int_equal(sample_bzimage(to, &kernel, filter), 0);
}

static bool is_unknown(const struct image *image)
{
	return image->problem && !image->abi.kho && !image->abi.luo &&
	       !image->abi.file_handlers[0] && image->n_build_ids == 0 && !image->config;
}

static void assert_same(const char *known, const char *expected)
{
	if (known)
		assert_string_equal(known, expected);
}

/* Right, or unknown: a changed byte of a header may leave the kernel as it is. */
static void assert_not_wrong(const struct image *image)
{
	if (!image || is_unknown(image))
		return;
	assert_null(image->problem);
	assert_same(image->abi.kho, "kho-v4");
	assert_same(image->abi.luo, "luo-v5");
	assert_same(image->abi.file_handlers[0], "memfd-v2");
}

static void test_truncated(void **state)
{
	static const int filters[] = {
		ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_XZ,	   ARCHIVE_FILTER_LZMA, ARCHIVE_FILTER_ZSTD,
		ARCHIVE_FILTER_LZ4,  ARCHIVE_FILTER_BZIP2, SAMPLE_LZ4_LEGACY,
	};

	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		_cleanup_blob_ struct blob bzimage = {}, zboot = {}, kernel = {};

		make_bzimage(&bzimage, filters[i]);
		for (size_t n = 1; n < bzimage.size; n += n < 1024 ? 61 : 1)
			assert_null(read_blob(bzimage.data, n));
		/* The same where no header tells. */
		sample_vmlinux(&kernel, 1);
		sample_string(&kernel, "kho-v4");
		assert_int_equal(sample_pack(&zboot, &kernel, filters[i]), 0);
		for (size_t n = 1; n + 4 < zboot.size; n++) {
			_cleanup_image_ struct image *image = read_blob(zboot.data, n);

			if (image && image->problem)
				assert_true(is_unknown(image));
			if (image && filters[i] == ARCHIVE_FILTER_GZIP)
				assert_non_null(image->problem);
		}
	}
}

/* gzip and xz have checksums of what is in them. */
static void test_flipped(void **state)
{
	static const int filters[] = {ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_XZ};

	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		_cleanup_blob_ struct blob blob = {};

		make_bzimage(&blob, filters[i]);
		for (size_t bit = 0x1f0 * 8; /* nothing but zeros before */
		     bit < blob.size * 8; bit++) {
			_cleanup_image_ struct image *image = NULL;

			blob.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
			image = read_blob(blob.data, blob.size);
			assert_not_wrong(image);
			blob.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	}
}

static void assert_problem(const struct blob *blob, const char *words)
{
	_cleanup_image_ struct image *image = read_blob(blob->data, blob->size);

	assert_non_null(image);
	assert_true(is_unknown(image));
	if (!strstr(image->problem, words))
		fail_msg("\"%s\" does not speak of \"%s\"", image->problem, words);
}

static void test_size(void **state)
{
	_cleanup_blob_ struct blob blob = {};
	uint32_t payload;

	make_bzimage(&blob, ARCHIVE_FILTER_XZ);
	memcpy(&payload, blob.data + 0x24c, 4);
	blob.data[SAMPLE_PAYLOAD + payload - 4] ^= 1;
	assert_problem(&blob, "size");
}

static void test_checksum(void **state)
{
	_cleanup_blob_ struct blob blob = {};
	uint32_t payload;

	make_bzimage(&blob, ARCHIVE_FILTER_GZIP);
	memcpy(&payload, blob.data + 0x24c, 4);
	blob.data[SAMPLE_PAYLOAD + payload - 8] ^= 1;
	assert_problem(&blob, "checksum");
}

static void test_unknown_compressor(void **state)
{
	_cleanup_blob_ struct blob blob = {};

	make_bzimage(&blob, ARCHIVE_FILTER_GZIP);
	blob.data[SAMPLE_PAYLOAD] = 'x';
	assert_problem(&blob, "unknown compressor");
}

static void test_old_protocol(void **state)
{
	_cleanup_blob_ struct blob blob = {};

	make_bzimage(&blob, ARCHIVE_FILTER_GZIP);
	blob.data[0x206] = 7;
	assert_problem(&blob, "where the kernel");
}

static void test_offsets_outside(void **state)
{
	static const uint32_t values[] = {0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff0};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		_cleanup_blob_ struct blob blob = {};

		make_bzimage(&blob, ARCHIVE_FILTER_GZIP);
		blob_put32(&blob, 0x248, values[i]);
		assert_null(read_blob(blob.data, blob.size));
		blob_put32(&blob, 0x248, 64);
		blob_put32(&blob, 0x24c, values[i]);
		assert_null(read_blob(blob.data, blob.size));
	}
}

/* 600 MiB of nothing in a few KiB. */
static void test_bomb(void **state)
{
	_cleanup_blob_ struct blob plain = {}, blob = {};

	sample_vmlinux(&plain, 1);
	sample_string(&plain, "kho-v4");
	blob_fill(&plain, 0, 600u << 20);
	assert_int_equal(sample_bzimage(&blob, &plain, ARCHIVE_FILTER_ZSTD), 0);
	assert_true(blob.size < 1u << 20);
	assert_problem(&blob, "more than 512 MiB");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_truncated),    cmocka_unit_test(test_flipped),
		cmocka_unit_test(test_size),	     cmocka_unit_test(test_checksum),
		cmocka_unit_test(test_old_protocol), cmocka_unit_test(test_unknown_compressor),
		cmocka_unit_test(test_bomb),	     cmocka_unit_test(test_offsets_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
