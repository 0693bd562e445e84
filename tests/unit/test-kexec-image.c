/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "kexec/image.h"
#include "kho/core/cleanup.h"

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

static void make_pe(uint8_t head[HEAD_SIZE], const char *section)
{
	memset(head, 0, HEAD_SIZE);
	memcpy(head, "MZ", 2);
	put32(head + 0x3c, 0x80);
	memcpy(head + 0x80, "PE\0\0", 4);
	put16(head + 0x86, 1);	  /* sections */
	put16(head + 0x94, 0xf0); /* optional header */
	strcpy((char *)head + 0x188, section);
	put32(head + 0x188 + 16, 0x1000); /* bytes */
	put32(head + 0x188 + 20, 0x400);  /* from here on */
}

static void assert_refused(const uint8_t *head, uint64_t n, uint64_t size, const char *words)
{
	const char *reason;
	char *release;

	assert_int_equal(image_header_check(head, n, size, &release, &reason), -ENOEXEC);
	assert_null(release);
	if (!strstr(reason, words))
		fail_msg("\"%s\" does not speak of \"%s\"", reason, words);
}

static void test_not_a_kernel(void **state)
{
	uint8_t head[HEAD_SIZE] = {0};

	/* Each with its real length: a sanitizer sees what is read beyond. */
	for (size_t n = 0; n <= 1024; n++) {
		_cleanup_free_ uint8_t *exact = calloc(1, n ?: 1);

		assert_non_null(exact);
		assert_refused(exact, n, n, "not a kernel");
	}
	memcpy(head,
	       "\x7f"
	       "ELF",
	       4);
	assert_refused(head, HEAD_SIZE, HEAD_SIZE, "not a kernel");
	memcpy(head, "\x1f\x8b\x08", 3);
	assert_refused(head, HEAD_SIZE, HEAD_SIZE, "unpack it first");
	memset(head, 0xff, HEAD_SIZE);
	assert_refused(head, HEAD_SIZE, HEAD_SIZE, "not a kernel");
}

static void test_unified_image(void **state)
{
	uint8_t head[HEAD_SIZE];
	const char *reason;
	char *release;

	make_pe(head, ".linux");
	assert_int_equal(image_header_check(head, HEAD_SIZE, 0x1400, &release, &reason), 0);
	assert_null(release);
	assert_refused(head, HEAD_SIZE, 0x13ff, "truncated");
	put16(head + 0x86, 0xffff); /* more sections than can be */
	assert_refused(head, HEAD_SIZE, 1 << 30, "truncated");
	make_pe(head, ".text");
	assert_refused(head, HEAD_SIZE, HEAD_SIZE, "EFI program");
	put32(head + 0x3c, 0xffffffff);
	assert_refused(head, HEAD_SIZE, HEAD_SIZE, "not a kernel");
}

#if defined(__x86_64__)
static void test_whole_bzimage(void **state)
{
	_cleanup_free_ char *release = NULL;
	uint8_t head[HEAD_SIZE];
	const char *reason;

	make_bzimage(head);
	assert_int_equal(image_header_check(head, HEAD_SIZE, WHOLE_SIZE, &release, &reason), 0);
	assert_string_equal(release, "7.3.4-next");
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
	const char *reason;
	char *release;

	make_bzimage(head);
	put16(head + 0x20e, 0);
	assert_int_equal(image_header_check(head, HEAD_SIZE, WHOLE_SIZE, &release, &reason), 0);
	assert_null(release);
	put16(head + 0x20e, 0xffff);
	assert_int_equal(image_header_check(head, HEAD_SIZE, WHOLE_SIZE, &release, &reason), 0);
	assert_null(release);
	make_bzimage(head);
	memset(head + VERSION_OFFSET, 'x', HEAD_SIZE - VERSION_OFFSET);
	assert_int_equal(image_header_check(head, HEAD_SIZE, WHOLE_SIZE, &release, &reason), 0);
	assert_null(release);
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
		cmocka_unit_test(test_not_a_kernel),  cmocka_unit_test(test_unified_image),
#if defined(__x86_64__)
		cmocka_unit_test(test_whole_bzimage), cmocka_unit_test(test_truncated_bzimage),
		cmocka_unit_test(test_unfit_bzimage), cmocka_unit_test(test_release_is_optional),
		cmocka_unit_test(test_other_machine),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
