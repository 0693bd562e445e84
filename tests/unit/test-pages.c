/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <linux/kernel-page-flags.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "kho/core/cleanup.h"
#include "kho/core/memdesc.h"
#include "kho/kernel/pages.h"

#define MIB (UINT64_C(1) << 20)

static int memfd(uint64_t size, uint64_t data)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	uint8_t *map;

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	if (data == 0)
		return fd;
	map = mmap(NULL, data, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	for (uint64_t i = 0; i < data; i++)
		map[i] = (uint8_t)(i * 7 + i / 4096);
	munmap(map, data);
	return fd;
}

static void assert_content(int fd, uint64_t data)
{
	uint8_t *map = mmap(NULL, data, PROT_READ, MAP_SHARED, fd, 0);

	assert_ptr_not_equal(map, MAP_FAILED);
	for (uint64_t i = 0; i < data; i++)
		if (map[i] != (uint8_t)(i * 7 + i / 4096))
			fail_msg("byte %ju has changed", (uintmax_t)i);
	munmap(map, data);
}

static uint64_t blocks_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return (uint64_t)st.st_blocks;
}

static void expect_type(int fd, enum memory_type type)
{
	struct memory_kind kind;

	assert_true(fd >= 0);
	assert_int_equal(memory_identify(fd, &kind), 0);
	assert_string_equal(memory_type_name(kind.type), memory_type_name(type));
	safe_close(fd);
}

static void test_a_memfd(void **state)
{
	int fd = memfd(5000, 4096);
	struct memory_kind kind;
	struct stat st;

	assert_int_equal(lseek(fd, 17, SEEK_SET), 17);
	assert_int_equal(fchmod(fd, 0640), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), 0);
	assert_int_equal(memory_identify(fd, &kind), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(kind.type, MEMORY_MEMFD);
	assert_int_equal(kind.size, 5000);
	assert_int_equal(kind.blocks, 8);
	assert_int_equal(kind.seals, F_SEAL_GROW);
	assert_int_equal(kind.position, 17);
	assert_int_equal(kind.mode, 0640);
	assert_true(kind.device == st.st_dev && kind.inode == st.st_ino);
	assert_null(memory_type_advice(kind.type));
	safe_close(fd);
}

static void test_what_is_no_memory(void **state)
{
	int pair[2], file = memfd(4096, 0);
	char path[64];
	struct memory_kind kind;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	expect_type(open(path, O_RDONLY | O_CLOEXEC), MEMORY_READ_ONLY);
	expect_type(open(path, O_PATH | O_CLOEXEC), MEMORY_PATH);
	safe_close(file);
	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	expect_type(pair[0], MEMORY_PIPE);
	expect_type(pair[1], MEMORY_PIPE);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	expect_type(pair[0], MEMORY_SOCKET);
	safe_close(pair[1]);
	expect_type(open("/", O_RDONLY | O_CLOEXEC), MEMORY_DIRECTORY);
	expect_type(open("/dev/null", O_RDWR | O_CLOEXEC), MEMORY_DEVICE);
	expect_type(open("/proc/self/exe", O_RDONLY | O_CLOEXEC), MEMORY_REGULAR);
	expect_type(eventfd(0, EFD_CLOEXEC), MEMORY_ANON_INODE);
	assert_int_equal(memory_identify(-1, &kind), -EBADF);
}

static void test_seal_that_spreads(void **state)
{
	int fd = memfd_create("noexec", MFD_CLOEXEC | 0x0008 /* MFD_NOEXEC_SEAL */);
	struct memory_kind kind;

	if (fd < 0)
		skip();
	assert_int_equal(memory_identify(fd, &kind), 0);
	assert_int_equal(kind.type, MEMORY_EXEC_SEALED);
	/* Sealed against writing already, it has nothing to lose. */
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	expect_type(fd, MEMORY_MEMFD);
}

static void test_hugetlb(void **state)
{
	int fd = memfd_create("huge", MFD_CLOEXEC | MFD_HUGETLB);

	if (fd < 0)
		skip();
	expect_type(fd, MEMORY_HUGETLB);
}

static void test_every_type_says_what_to_do(void **state)
{
	for (int type = 0; type < _MEMORY_TYPE_MAX; type++) {
		bool taken = type == MEMORY_MEMFD || type == MEMORY_TMPFS || type == MEMORY_HUGETLB;
		const char *advice = memory_type_advice(type);

		if (taken)
			assert_null(advice);
		else
			assert_non_null(advice);
		for (int other = 0; other < type; other++) {
			assert_string_not_equal(memory_type_name(type), memory_type_name(other));
			if (advice && memory_type_advice(other))
				assert_string_not_equal(advice, memory_type_advice(other));
		}
	}
	assert_non_null(memory_type_advice(_MEMORY_TYPE_MAX));
}

static void test_holes_are_seen_and_stay(void **state)
{
	int fd = memfd(8 * MIB + 1, MIB);
	uint64_t blocks = blocks_of(fd), present, swapped;
	struct page_census census;

	assert_int_equal(lseek(fd, 3, SEEK_SET), 3);
	assert_int_equal(pages_resident(fd, &present, &swapped), 0);
	assert_int_equal(present + swapped, MIB);
	assert_int_equal(pages_census(fd, 0, &census), 0);
	assert_int_equal(census.present + census.swapped, MIB / 4096);
	assert_int_equal(census.absent, 7 * MIB / 4096 + 1);
	assert_int_equal(blocks_of(fd), blocks);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 3);
	safe_close(fd);
}

static void test_an_empty_file(void **state)
{
	int fd = memfd(0, 0);
	uint64_t present, swapped, offset = 0;
	struct page_census census;
	int r;

	assert_int_equal(pages_resident(fd, &present, &swapped), 0);
	assert_int_equal(present + swapped, 0);
	assert_int_equal(pages_census(fd, 0, &census), 0);
	assert_int_equal(census.present + census.swapped + census.absent + census.seen, 0);
	assert_int_equal(census.memdesc, MEMDESC_FILE);
	r = pages_collapse(fd, &offset, UINT64_MAX);
	assert_true(r == 1 || r == -EOPNOTSUPP);
	safe_close(fd);
}

static void test_not_shmem(void **state)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	uint64_t present, swapped;
	struct page_census census;

	assert_int_equal(pages_resident(fd, &present, &swapped), -EOPNOTSUPP);
	assert_int_equal(pages_census(fd, 0, &census), -EOPNOTSUPP);
	safe_close(fd);
}

/* Root sees page numbers; anybody else is told that they are hidden. */
static void test_census(void **state)
{
	int fd = memfd(4 * MIB, 4 * MIB);
	uint64_t pages = 4 * MIB / 4096, counted = 0;
	struct page_census census;

	assert_int_equal(pages_census(fd, 0, &census), 0);
	assert_int_equal(memdesc_type(census.memdesc), MEMDESC_FILE);
	if (!census.readable) {
		assert_int_equal(census.seen, 0);
	} else {
		for (int order = 0; order <= PAGES_ORDER_MAX; order++)
			counted += census.folios[order] << order;
		assert_int_equal(census.seen, pages);
		assert_int_equal(counted, pages);
		assert_int_equal(pages_census(fd, 512, &census), 0);
		assert_true(census.seen >= 1 && census.seen < pages);
	}
	safe_close(fd);
}

static void test_collapse_keeps_content_and_holes(void **state)
{
	int fd = memfd(9 * MIB, 5 * MIB);
	uint64_t blocks = blocks_of(fd), offset = 0;
	struct page_census census;
	int r = pages_collapse(fd, &offset, UINT64_MAX);

	if (r == -EOPNOTSUPP) {
		safe_close(fd);
		skip();
	}
	assert_int_equal(r, 1);
	assert_int_equal(offset, 8 * MIB);
	assert_int_equal(blocks_of(fd), blocks);
	assert_content(fd, 5 * MIB);
	assert_int_equal(pages_census(fd, 0, &census), 0);
	assert_int_equal(census.absent, 4 * MIB / 4096);
	if (census.readable && census.folios[9] != 2)
		print_message("[   INFO   ] %ju of 2 large folios\n", (uintmax_t)census.folios[9]);
	safe_close(fd);
}

static void test_collapse_ends_in_time_and_goes_on(void **state)
{
	int fd = memfd(6 * MIB, 6 * MIB);
	uint64_t offset = 0;
	int r = pages_collapse(fd, &offset, 0);

	if (r == -EOPNOTSUPP) {
		safe_close(fd);
		skip();
	}
	assert_int_equal(r, 0);
	assert_int_equal(offset, 0);
	offset = 2 * MIB;
	assert_int_equal(pages_collapse(fd, &offset, UINT64_MAX), 1);
	assert_int_equal(offset, 6 * MIB);
	assert_int_equal(pages_collapse(fd, &offset, 0), 1);
	assert_content(fd, 6 * MIB);
	safe_close(fd);
}

#define FLAG(name) (UINT64_C(1) << KPF_##name)

static void test_flags(void **state)
{
	static const struct {
		uint64_t flags;
		uint32_t memdesc;
	} table[] = {
		{FLAG(UPTODATE) | FLAG(LRU) | FLAG(SWAPBACKED) | FLAG(MMAP), MEMDESC_FILE},
		{FLAG(UPTODATE) | FLAG(LRU) | FLAG(ANON) | FLAG(SWAPBACKED), MEMDESC_ANON},
		{FLAG(ANON) | FLAG(KSM) | FLAG(LRU), MEMDESC_KSM},
		{FLAG(HWPOISON) | FLAG(LRU), MEMDESC_HWPOISON},
		{FLAG(SLAB), MEMDESC_SLAB},
		{FLAG(BUDDY), MEMDESC_BUDDY},
		{FLAG(PGTABLE), MEMDESC_PTDESC},
		{FLAG(OFFLINE), MEMDESC_MISC | MEMDESC_OFFLINE << 4},
		{FLAG(ZERO_PAGE) | FLAG(UPTODATE), MEMDESC_MISC | MEMDESC_ZERO_PAGE << 4},
		{FLAG(MMAP), MEMDESC_MISC | MEMDESC_UNKNOWN << 4},
		{0, MEMDESC_MISC | MEMDESC_UNKNOWN << 4},
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		assert_int_equal(pages_flags_memdesc(table[i].flags, 0), table[i].memdesc);
	assert_int_equal(pages_flags_memdesc(table[0].flags, 9), 0x9002);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_memfd),
		cmocka_unit_test(test_what_is_no_memory),
		cmocka_unit_test(test_seal_that_spreads),
		cmocka_unit_test(test_hugetlb),
		cmocka_unit_test(test_every_type_says_what_to_do),
		cmocka_unit_test(test_holes_are_seen_and_stay),
		cmocka_unit_test(test_an_empty_file),
		cmocka_unit_test(test_not_shmem),
		cmocka_unit_test(test_census),
		cmocka_unit_test(test_collapse_keeps_content_and_holes),
		cmocka_unit_test(test_collapse_ends_in_time_and_goes_on),
		cmocka_unit_test(test_flags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
