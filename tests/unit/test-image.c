/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <archive.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "kho/kernel/image.h"
#include "tests/unit/fake-root.h"
#include "tests/unit/image-sample.h"

#define PATH "boot/vmlinuz"

static struct image *read_blob(int root_fd, const struct blob *blob)
{
	_cleanup_free_ char *message = NULL;
	struct image *image = NULL;
	int r;

	fake_blob(root_fd, PATH, blob->data, blob->size);
	r = image_read_at(root_fd, PATH, &image, &message);
	assert_true((r == 0) == (image != NULL) && (r == 0) == (message == NULL));
	return image;
}

static int setup(void **state)
{
	*state = (void *)(intptr_t)fake_root_open();
	return 0;
}

static int teardown(void **state)
{
	fake_root_close((int)(intptr_t)*state);
	return 0;
}

/* A kernel as 7.1 is. */
static void make_kernel(struct blob *to)
{
	sample_vmlinux(to, 0xab);
	sample_string(to, "kho-v3");
	sample_string(to, "kho-v3");
	sample_string(to, "luo-v1");
	sample_string(to, "luo-session-v2");
	sample_string(to, "luo-flb-v1");
	sample_string(to, "kho-test-v1");
	sample_string(to, "spectre_v2");
	sample_handler(to, "memfd-v2");
	sample_handler(to, "guest-memfd-v1");
	sample_ikconfig(to, SAMPLE_CONFIG);
	blob_fill(to, 0x90, 300);
}

static void assert_kernel(const struct image *image)
{
	static const uint8_t id[20] = {[0 ... 19] = 0xab};

	assert_non_null(image);
	assert_null(image->problem);
	assert_string_equal(image->release, SAMPLE_RELEASE);
	assert_string_equal(image->abi.kho, "kho-v3");
	assert_string_equal(image->abi.luo, "luo-v1");
	assert_string_equal(image->abi.luo_session, "luo-session-v2");
	assert_string_equal(image->abi.luo_flb, "luo-flb-v1");
	assert_null(image->abi.memblock);
	assert_string_equal(image->abi.file_handlers[0], "guest-memfd-v1");
	assert_string_equal(image->abi.file_handlers[1], "memfd-v2");
	assert_null(image->abi.file_handlers[2]);
	assert_true(image_has_build_id(image, id, sizeof(id)));
	assert_false(image_has_build_id(image, id, sizeof(id) - 1));
	assert_string_equal(image->config_source, "embedded");
	assert_string_equal(image->config, SAMPLE_CONFIG);
}

static const struct {
	int filter;
	const char *name;
} compressors[] = {
	{ARCHIVE_FILTER_GZIP, "gzip"}, {ARCHIVE_FILTER_BZIP2, "bzip2"},
	{ARCHIVE_FILTER_LZMA, "lzma"}, {ARCHIVE_FILTER_XZ, "xz"},
	{ARCHIVE_FILTER_LZ4, "lz4"},   {SAMPLE_LZ4_LEGACY, "lz4"},
	{ARCHIVE_FILTER_ZSTD, "zstd"},
};

static void test_bzimage(void **state)
{
	_cleanup_blob_ struct blob kernel = {};

	make_kernel(&kernel);
	for (size_t i = 0; i < ARRAY_SIZE(compressors); i++) {
		_cleanup_image_ struct image *image = NULL;
		_cleanup_blob_ struct blob blob = {};

		if (sample_bzimage(&blob, &kernel, compressors[i].filter) < 0) {
			print_message("this libarchive can't pack %s\n", compressors[i].name);
			continue;
		}
		image = read_blob((int)(intptr_t)*state, &blob);
		assert_kernel(image);
		assert_int_equal(image->kind, IMAGE_BZIMAGE);
		assert_int_equal(image->kernel, IMAGE_BZIMAGE);
		assert_int_equal(image->arch, IMAGE_X86_64);
		assert_string_equal(image->compression, compressors[i].name);
		assert_int_equal(image->relocatable, 1);
		assert_int_equal(image->page_size, 4096);
		assert_int_equal(image->init_size, 0x1234000);
		assert_int_equal(image->kernel_alignment, 0x200000);
		assert_int_equal(image->pref_address, 0x1000000);
		assert_false(image->is_signed);
		assert_string_equal(image->path, "/" PATH);
		assert_int_equal(image->size, blob.size);
	}
}

static bool has_lzop(void)
{
	return system("command -v lzop >/dev/null") == 0;
}

static void test_lzo(void **state)
{
	_cleanup_image_ struct image *image = NULL;
	_cleanup_blob_ struct blob kernel = {}, blob = {};

	if (!has_lzop()) {
		print_message("lzop is not installed\n");
		skip();
	}
	make_kernel(&kernel);
	assert_int_equal(sample_bzimage(&blob, &kernel, SAMPLE_LZO), 0);
	image = read_blob((int)(intptr_t)*state, &blob);
	assert_kernel(image);
	assert_string_equal(image->compression, "lzo");
}

/* Nothing is known of it then, and what to install is said. */
static void test_lzo_without_lzop(void **state)
{
	_cleanup_free_ char *path = strdup(getenv("PATH") ?: "");
	_cleanup_image_ struct image *image = NULL;
	_cleanup_blob_ struct blob kernel = {}, blob = {};

	make_kernel(&kernel);
	assert_int_equal(sample_bzimage(&blob, &kernel, SAMPLE_LZO), 0);
	setenv("PATH", "/nonexistent", 1);
	image = read_blob((int)(intptr_t)*state, &blob);
	setenv("PATH", path, 1);
	assert_non_null(image);
	assert_string_equal(image->compression, "lzo");
	assert_string_equal(image->problem, "the kernel in it can't be unpacked without the "
					    "program lzop: install the package lzop");
	assert_null(image->abi.kho);
}

static void test_vmlinux(void **state)
{
	_cleanup_image_ struct image *image = NULL;
	_cleanup_blob_ struct blob kernel = {};

	make_kernel(&kernel);
	image = read_blob((int)(intptr_t)*state, &kernel);
	assert_kernel(image);
	assert_int_equal(image->kind, IMAGE_VMLINUX);
	assert_int_equal(image->arch, IMAGE_X86_64);
	assert_string_equal(image->compression, "none");
	assert_true(image->relocatable < 0);
	assert_int_equal(image->init_size, 0);
}

static void assert_arm64(const struct image *image, const char *compression)
{
	assert_kernel(image);
	assert_int_equal(image->kind, IMAGE_ARM64);
	assert_int_equal(image->arch, IMAGE_AARCH64);
	assert_string_equal(image->compression, compression);
	assert_int_equal(image->page_size, 16384);
	assert_int_equal(image->init_size, 0x2340000);
	assert_int_equal(image->relocatable, 1);
	assert_int_equal(image->wrapped, strcmp(compression, "none") != 0);
}

static void test_arm64(void **state)
{
	_cleanup_image_ struct image *plain = NULL, *packed = NULL;
	_cleanup_blob_ struct blob kernel = {}, image = {}, gzip = {};

	make_kernel(&kernel);
	sample_arm64(&image, &kernel);
	plain = read_blob((int)(intptr_t)*state, &image);
	assert_arm64(plain, "none");
	assert_int_equal(sample_pack(&gzip, &image, ARCHIVE_FILTER_GZIP), 0);
	packed = read_blob((int)(intptr_t)*state, &gzip);
	assert_arm64(packed, "gzip");
}

static void test_zboot(void **state)
{
	_cleanup_blob_ struct blob kernel = {}, arm64 = {};

	make_kernel(&kernel);
	sample_arm64(&arm64, &kernel);
	for (size_t i = 0; i < ARRAY_SIZE(compressors); i++) {
		_cleanup_image_ struct image *image = NULL;
		_cleanup_blob_ struct blob blob = {};

		if (sample_zboot(&blob, &arm64, compressors[i].filter) < 0)
			continue;
		image = read_blob((int)(intptr_t)*state, &blob);
		assert_kernel(image);
		assert_int_equal(image->kind, IMAGE_ZBOOT);
		assert_int_equal(image->arch, IMAGE_AARCH64);
		assert_string_equal(image->compression, compressors[i].name);
	}
}

static void assert_part(const struct blob *blob, const struct image_part *part, const char *text)
{
	assert_int_equal(part->size, strlen(text));
	assert_true(part->offset + part->size <= blob->size);
	assert_memory_equal(blob->data + part->offset, text, part->size);
}

static void test_uki(void **state)
{
	_cleanup_blob_ struct blob kernel = {}, linux_section = {}, uki = {};
	_cleanup_image_ struct image *image = NULL;

	make_kernel(&kernel);
	assert_int_equal(sample_bzimage(&linux_section, &kernel, ARCHIVE_FILTER_XZ), 0);
	sample_uki(&uki, &linux_section);
	image = read_blob((int)(intptr_t)*state, &uki);
	assert_kernel(image);
	assert_int_equal(image->kind, IMAGE_UKI);
	assert_int_equal(image->kernel, IMAGE_BZIMAGE);
	assert_int_equal(image->init_size, 0x1234000);
	assert_string_equal(image->compression, "xz");
	assert_part(&uki, &image->initrd, "070701");
	assert_part(&uki, &image->cmdline, "kho=on");
}

static void test_signature(void **state)
{
	_cleanup_blob_ struct blob kernel = {}, linux_section = {}, uki = {};
	_cleanup_image_ struct image *image = NULL, *outside = NULL;

	make_kernel(&kernel);
	assert_int_equal(sample_bzimage(&linux_section, &kernel, ARCHIVE_FILTER_GZIP), 0);
	sample_uki(&uki, &linux_section);
	blob_put32(&uki, 0x98 + 144, (uint32_t)uki.size); /* directory of certificates */
	blob_put32(&uki, 0x98 + 148, 16);
	outside = read_blob((int)(intptr_t)*state, &uki);
	assert_false(outside->is_signed);
	blob_fill(&uki, 1, 16);
	image = read_blob((int)(intptr_t)*state, &uki);
	assert_true(image->is_signed);
	assert_kernel(image);
}

static void assert_refused(void **state, const struct blob *blob, const char *words)
{
	_cleanup_free_ char *message = NULL;
	struct image *image = NULL;

	fake_blob((int)(intptr_t)*state, PATH, blob->data, blob->size);
	assert_int_equal(image_read_at((int)(intptr_t)*state, PATH, &image, &message), -ENOEXEC);
	assert_null(image);
	if (!strstr(message, words) || !strstr(message, PATH))
		fail_msg("\"%s\" does not speak of \"%s\"", message, words);
}

static void test_no_kernel_within(void **state)
{
	_cleanup_blob_ struct blob kernel = {}, bzimage = {}, gzip = {}, uki = {}, twice = {};

	make_kernel(&kernel);
	assert_int_equal(sample_bzimage(&bzimage, &kernel, ARCHIVE_FILTER_GZIP), 0);
	assert_int_equal(sample_pack(&gzip, &bzimage, ARCHIVE_FILTER_GZIP), 0);
	assert_refused(state, &gzip, "unpack it first");
	sample_uki(&uki, &bzimage);
	sample_uki(&twice, &uki);
	assert_refused(state, &twice, "not a kernel");
}

/* Two versions in one kernel: nobody knows which it takes. */
static void test_ambiguous(void **state)
{
	_cleanup_image_ struct image *image = NULL;
	_cleanup_blob_ struct blob kernel = {};

	sample_vmlinux(&kernel, 1);
	sample_string(&kernel, "kho-v3");
	sample_string(&kernel, "kho-v4");
	sample_string(&kernel, "kho-v3");
	sample_string(&kernel, "luo-v5");
	sample_handler(&kernel, "memfd-v1");
	sample_handler(&kernel, "memfd-v2");
	image = read_blob((int)(intptr_t)*state, &kernel);
	assert_null(image->abi.kho);
	assert_string_equal(image->abi.luo, "luo-v5");
	assert_string_equal(image->abi.file_handlers[0], "memfd-v1");
	assert_string_equal(image->abi.file_handlers[1], "memfd-v2");
}

static void test_only_whole_strings(void **state)
{
	static const char *const near[] = {
		"xkho-v4",
		"kho-v4x",
		"kho-v",
		"kho-vx4",
		"kho-v4 ",
		" kho-v4",
		"KHO-v4",
		"kho_v4",
		"kho-v4-v",
		"kho-v12345",
		"incompatible with 'kho-v4'",
		"-v4",
		"linux,kho-v4",
	};
	static const char unpadded[] = "\xff\xff\xff\xffodd-v1\0no padding";
	_cleanup_image_ struct image *image = NULL;
	_cleanup_blob_ struct blob kernel = {};

	sample_vmlinux(&kernel, 1);
	for (size_t i = 0; i < ARRAY_SIZE(near); i++)
		sample_string(&kernel, near[i]);
	sample_string(&kernel, "guest-memfd-v1"); /* no pointer before it */
	blob_add(&kernel, unpadded, sizeof(unpadded));
	blob_add(&kernel, "\0kho-v4", 7); /* the kernel ends here */
	image = read_blob((int)(intptr_t)*state, &kernel);
	assert_non_null(image);
	assert_null(image->problem);
	assert_null(image->abi.kho);
	assert_null(image->abi.file_handlers[0]);
}

/* Wherever the reader's window ends. */
static void test_every_position(void **state)
{
	for (size_t position = 65000; position < 65000 + 800; position += 7) {
		_cleanup_image_ struct image *image = NULL;
		_cleanup_blob_ struct blob kernel = {};

		blob_fill(&kernel, 0, 64);
		memcpy(kernel.data,
		       "\x7f"
		       "ELF\2\1\1",
		       7);
		kernel.data[18] = 62;
		blob_fill(&kernel, 0x90, position);
		make_kernel(&kernel);
		image = read_blob((int)(intptr_t)*state, &kernel);
		/* The header of make_kernel's is no banner's NUL. */
		assert_kernel(image);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bzimage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lzo, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lzo_without_lzop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_vmlinux, setup, teardown),
		cmocka_unit_test_setup_teardown(test_arm64, setup, teardown),
		cmocka_unit_test_setup_teardown(test_zboot, setup, teardown),
		cmocka_unit_test_setup_teardown(test_uki, setup, teardown),
		cmocka_unit_test_setup_teardown(test_signature, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_kernel_within, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ambiguous, setup, teardown),
		cmocka_unit_test_setup_teardown(test_only_whole_strings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_every_position, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
