/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <archive.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <cmocka.h>

#include "kho/kernel/image.h"
#include "tests/unit/image-sample.h"

#define HEAD_SIZE 8192
#define SETUP_SECTS 7
#define SYSTEM_SIZE (1024 * 1024)
#define SETUP_SIZE ((SETUP_SECTS + 1) * 512)
#define WHOLE_SIZE (SETUP_SIZE + SYSTEM_SIZE)
#define VERSION_OFFSET 0x800

static void put16(uint8_t *p, unsigned int value)
{
	p[0] = value;
	p[1] = value >> 8;
}

static void put32(uint8_t *p, uint32_t value)
{
	put16(p, value);
	put16(p + 2, value >> 16);
}

/* Offsets as Documentation/arch/x86/boot.rst has them. */
static void make_bzimage(uint8_t head[HEAD_SIZE])
{
	memset(head, 0, HEAD_SIZE);
	head[0x1f1] = SETUP_SECTS;
	put32(head + 0x1f4, SYSTEM_SIZE / 16);
	put16(head + 0x1fe, 0xaa55);
	memcpy(head + 0x202, "HdrS", 4);
	put16(head + 0x206, 0x020f);
	put16(head + 0x20e, VERSION_OFFSET - 0x200);
	head[0x211] = 1;
	head[0x234] = 1;
	put16(head + 0x236, 3);
	strcpy((char *)head + VERSION_OFFSET, "7.3.4-next (me@here) #1 SMP");
}

/* Reads what the header says of a file of that size, of which head is the start. */
static int check(const uint8_t *head, size_t n, size_t size, char **ret_release, char **ret_message)
{
	_cleanup_close_ int fd = memfd_create("image", MFD_CLOEXEC);
	_cleanup_close_ int directory = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_image_ struct image *image = NULL;
	const char *reason;
	char name[16];
	int r;

	*ret_release = *ret_message = NULL;
	assert_true(fd >= 0 && directory >= 0);
	assert_int_equal(write(fd, head, n), n);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	snprintf(name, sizeof(name), "%d", fd);
	r = image_read_header_at(directory, name, &image, ret_message);
	if (r < 0)
		return r;
	*ret_release = TAKE_PTR(image->release);
	r = image_check_loadable(image, &reason);
	if (r < 0) {
		free(TAKE_PTR(*ret_release));
		*ret_message = strdup(reason);
	}
	return r;
}

static void assert_refused(const uint8_t *head, size_t n, size_t size, const char *words)
{
	_cleanup_free_ char *release = NULL, *message = NULL;

	assert_int_equal(check(head, n, size, &release, &message), -ENOEXEC);
	assert_null(release);
	if (!strstr(message, words))
		fail_msg("\"%s\" does not speak of \"%s\"", message, words);
}

static void assert_loadable(const uint8_t *head, size_t n, size_t size, const char *release)
{
	_cleanup_free_ char *found = NULL, *message = NULL;
	int r = check(head, n, size, &found, &message);

	if (r < 0)
		fail_msg("%s", message);
	if (release)
		assert_string_equal(found, release);
	else
		assert_null(found);
}

static void test_not_a_kernel(void **state)
{
	uint8_t head[HEAD_SIZE] = {0};

	/* Each with its real length: a sanitizer sees what is read beyond. */
	for (size_t n = 1; n <= 1024; n++) {
		_cleanup_free_ uint8_t *exact = calloc(1, n);

		assert_non_null(exact);
		assert_refused(exact, n, n, "not a kernel");
	}
	memcpy(head,
	       "\x7f"
	       "ELF",
	       4);
	assert_refused(head, HEAD_SIZE, HEAD_SIZE, "another kind of machine");
	memcpy(head, "\x1f\x8b\x08", 3);
	assert_refused(head, HEAD_SIZE, HEAD_SIZE, "unpack it first");
	memset(head, 0xff, HEAD_SIZE);
	assert_refused(head, HEAD_SIZE, HEAD_SIZE, "not a kernel");
}

#if defined(__x86_64__)
static void test_whole_bzimage(void **state)
{
	uint8_t head[HEAD_SIZE];

	make_bzimage(head);
	assert_loadable(head, HEAD_SIZE, WHOLE_SIZE, "7.3.4-next");
}

static void test_truncated_bzimage(void **state)
{
	uint8_t head[HEAD_SIZE];

	make_bzimage(head);
	assert_refused(head, HEAD_SIZE, WHOLE_SIZE - 1, "truncated");
	assert_refused(head, 1024, 1024, "truncated");
	head[0x1f1] = 0; /* which means 4 */
	assert_refused(head, HEAD_SIZE, 5 * 512 + SYSTEM_SIZE - 1, "truncated");
	put32(head + 0x1f4, UINT32_MAX);
	assert_refused(head, HEAD_SIZE, WHOLE_SIZE, "truncated");
	make_bzimage(head);
	assert_refused(head, 0x267, 0x267, "not a kernel"); /* no whole header */
}

static void test_unfit_bzimage(void **state)
{
	uint8_t head[HEAD_SIZE];

	make_bzimage(head);
	head[0x234] = 0;
	assert_refused(head, HEAD_SIZE, WHOLE_SIZE, "CONFIG_RELOCATABLE");
	make_bzimage(head);
	put16(head + 0x206, 0x020b);
	assert_refused(head, HEAD_SIZE, WHOLE_SIZE, "64-bit");
	make_bzimage(head);
	put16(head + 0x236, 2);
	assert_refused(head, HEAD_SIZE, WHOLE_SIZE, "64-bit");
}

/* A kernel is not refused for what only names it. */
static void test_release_is_optional(void **state)
{
	uint8_t head[HEAD_SIZE];

	make_bzimage(head);
	put16(head + 0x20e, 0);
	assert_loadable(head, HEAD_SIZE, WHOLE_SIZE, NULL);
	put16(head + 0x20e, 0xffff);
	assert_loadable(head, HEAD_SIZE, WHOLE_SIZE, NULL);
	make_bzimage(head);
	memset(head + VERSION_OFFSET, 'x', HEAD_SIZE - VERSION_OFFSET);
	assert_loadable(head, HEAD_SIZE, WHOLE_SIZE, NULL);
}

static void test_unified_image(void **state)
{
	_cleanup_blob_ struct blob kernel = {}, bzimage = {}, uki = {};

	sample_vmlinux(&kernel, 1);
	assert_int_equal(sample_bzimage(&bzimage, &kernel, ARCHIVE_FILTER_GZIP), 0);
	sample_uki(&uki, &bzimage);
	assert_loadable(uki.data, uki.size, uki.size, SAMPLE_RELEASE);
	assert_refused(uki.data, uki.size, uki.size - 1, "truncated");
	put16(uki.data + 0x86, 0xffff); /* more sections than can be */
	assert_refused(uki.data, uki.size, 1 << 30, "truncated");
	put16(uki.data + 0x86, 2); /* and .linux is the third */
	assert_refused(uki.data, uki.size, uki.size, "EFI program");
	put32(uki.data + 0x3c, 0xffffffff);
	assert_refused(uki.data, uki.size, uki.size, "not a kernel");
}

static void test_vmlinux(void **state)
{
	_cleanup_blob_ struct blob kernel = {};

	sample_vmlinux(&kernel, 1);
	assert_refused(kernel.data, kernel.size, kernel.size, "bzImage");
}

static void test_program(void **state)
{
	_cleanup_free_ char *self = realpath("/proc/self/exe", NULL);
	_cleanup_free_ char *message = NULL;
	struct image *image = NULL;

	assert_non_null(self);
	assert_int_equal(image_read_header(self, &image, &message), -ENOEXEC);
	assert_non_null(strstr(message, "not a kernel"));
}

static void test_other_machine(void **state)
{
	uint8_t head[HEAD_SIZE] = {0};

	memcpy(head + 56, "ARM\x64", 4);
	assert_refused(head, HEAD_SIZE, HEAD_SIZE, "arm64");
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_not_a_kernel),
#if defined(__x86_64__)
		cmocka_unit_test(test_whole_bzimage), cmocka_unit_test(test_truncated_bzimage),
		cmocka_unit_test(test_unfit_bzimage), cmocka_unit_test(test_release_is_optional),
		cmocka_unit_test(test_other_machine), cmocka_unit_test(test_unified_image),
		cmocka_unit_test(test_vmlinux),	      cmocka_unit_test(test_program),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
