/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/generation.h"
#include "kho/kernel/memory.h"
#include "kho/transport/luo-demand.h"
#include "kho/transport/luo.h"
#include "kho/transport/message.h"

#define ID "0123456789abcdef"
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

static void test_session_names(void **state)
{
	char name[LUO_SESSION_NAME_MAX + 1];

	assert_int_equal(luo_session_name(name, ID, 0), 0);
	assert_string_equal(name, "kho-0123456789abcdef-0");
	assert_int_equal(luo_session_name(name, ID, 40), 0);
	assert_string_equal(name, "kho-0123456789abcdef-40");
	assert_int_equal(luo_session_name(name, ID, 9999999999999999), 0);
	assert_int_equal(strlen(name), 37);
	assert_int_equal(luo_session_name(name, ID, 999999999999999999), -ENAMETOOLONG);
	assert_int_equal(luo_session_name(name, "0123456789abcde", 0), -EINVAL);
	assert_int_equal(luo_session_name(name, ID "0", 0), -EINVAL);
	assert_int_equal(luo_session_name(name, "0123456789ABCDEF", 0), -EINVAL);
	assert_int_equal(luo_session_name(name, "0123456789abcde/", 0), -EINVAL);
	assert_int_equal(luo_session_name(name, "", 0), -EINVAL);
}

static void test_places(void **state)
{
	struct transport_item items[4097] = {};

	assert_int_equal(transport_luo.place(items, 0, 0), 0);
	assert_int_equal(transport_luo.place(items, 0, 1), 1);
	assert_int_equal(transport_luo.place(items, 0, 100), 1);
	assert_int_equal(transport_luo.place(items, 0, 101), 2);
	assert_int_equal(transport_luo.place(items, 0, 4097), 41);
	assert_int_equal(items[0].session, 0);
	assert_int_equal(items[0].token, 0);
	assert_int_equal(items[99].session, 0);
	assert_int_equal(items[100].session, 1);
	assert_int_equal(items[4096].session, 40);
	for (size_t i = 0; i < ARRAY_SIZE(items); i++)
		assert_int_equal(items[i].token, i);
}

static void test_late_items_move_nobody(void **state)
{
	struct transport_item items[102] = {};

	transport_luo.place(items, 0, 99);
	items[98].token = 4711;
	assert_int_equal(transport_luo.place(items, 99, 102), 2);
	assert_int_equal(items[98].token, 4711);
	assert_int_equal(items[99].session, 0);
	assert_int_equal(items[99].token, 99);
	assert_int_equal(items[101].session, 1);
}

static void test_demand(void **state)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct luo_demand demand = {};

	luo_demand_add(&demand, 10 * page + 1, 4 * page, 2 * page);
	assert_int_equal(demand.total, 10 * page + 1);
	assert_int_equal(demand.holes, 4 * page + 1);
	assert_int_equal(demand.swapped, 2 * page);
	assert_int_equal(demand.lists, 11 * LUO_BYTES_PER_PAGE);
	/* more than the size: pages beyond the end of file */
	luo_demand_add(&demand, page, 2 * page, 0);
	assert_int_equal(demand.holes, 4 * page + 1);
	luo_demand_add(&demand, 0, 0, 0);
	assert_int_equal(demand.lists, 12 * LUO_BYTES_PER_PAGE);

	assert_int_equal(luo_demand_bytes(&demand, 0), 6 * page + 1 + 12 * LUO_BYTES_PER_PAGE);
	assert_int_equal(luo_demand_bytes(&demand, 3 * page) - luo_demand_bytes(&demand, 0),
			 3 * page);
	/* No more moves than there is. */
	assert_int_equal(luo_demand_bytes(&demand, GIB) - luo_demand_bytes(&demand, 0), 6 * page);
}

static void test_verdict_has_the_numbers(void **state)
{
	struct transport_item items[] = {
		{.label = "region \"a\" of x.service"},
		{.label = "region \"b\" of y.service"},
	};
	struct luo_blame blame[LUO_BLAME_MAX] = {{&items[1], 8 * GIB}, {&items[0], MIB}};
	struct luo_demand demand = {.holes = 8 * GIB, .swapped = MIB, .lists = 64 * MIB};
	uint64_t need = 8 * GIB + 65 * MIB;
	struct memory_room room = {.available = need + LUO_RESERVE};
	_cleanup_free_ char *message = NULL;

	assert_int_equal(luo_demand_verdict(&demand, &room, blame, &message), 0);
	assert_null(message);
	room.available--;
	assert_int_equal(luo_demand_verdict(&demand, &room, blame, NULL), -ENOMEM);
	room.available = 2 * GIB;
	assert_int_equal(luo_demand_verdict(&demand, &room, blame, &message), -ENOMEM);
	assert_non_null(strstr(message, "needs 8.1 GiB"));
	assert_non_null(strstr(message, "8.0 GiB to fill holes, 1.0 MiB to swap in, 64.0 MiB"));
	assert_non_null(strstr(message, "2.0 GiB are available"));
	assert_non_null(strstr(message, "most of it for region \"b\" of y.service (8.0 GiB); "));
	assert_null(strchr(message, '\n'));
}

/* Sparse files cost nothing, so the real thing can be asked. */
static void test_check_refuses_what_can_not_be(void **state)
{
	struct transport_item items[] = {
		{.fd = memfd_create("a", MFD_CLOEXEC), .label = "the small one"},
		{.fd = memfd_create("b", MFD_CLOEXEC), .label = "the large one"},
	};
	_cleanup_free_ char *message = NULL;
	struct stat st;

	assert_int_equal(ftruncate(items[0].fd, 1), 0);
	assert_int_equal(ftruncate(items[1].fd, (off_t)(LUO_SIZE_MAX - 4096)), 0);
	assert_int_equal(transport_luo.check(items, 2, &message), -ENOMEM);
	assert_non_null(strstr(message, "the large one (1.0 TiB)"));
	assert_int_equal(ftruncate(items[1].fd, (off_t)LUO_SIZE_MAX), 0);
	assert_int_equal(transport_luo.check(items, 2, &message), -EFBIG);
	assert_non_null(strstr(message, "the large one: it has 1.0 TiB"));
	assert_int_equal(fstat(items[1].fd, &st), 0);
	assert_int_equal(st.st_blocks, 0);
	safe_close(items[0].fd);
	safe_close(items[1].fd);

	assert_int_equal(transport_luo.check(items, 1, &message), -EBADF);
	assert_non_null(strstr(message, "the small one"));
}

static void expect_sentence(const char *text)
{
	assert_non_null(text);
	assert_true(strlen(text) > 20);
	assert_null(strchr(text, '\n'));
	assert_true(text[strlen(text) - 1] != '.');
	assert_true(strchr(text, ':') || strstr(text, "root"));
}

static void test_errors_have_sentences(void **state)
{
	static const int preserve[] = {EEXIST, EBUSY,  ENOENT, EOPNOTSUPP, EFBIG,
				       ENOSPC, ENOMEM, EINVAL, EBADF};
	static const int retrieve[] = {ENOENT, ENOMEM, EIO, EOPNOTSUPP, EINVAL};
	static const int session[] = {ENOENT, EACCES, EBUSY, EIO, EEXIST, ENOSPC, EINVAL};

	for (size_t i = 0; i < ARRAY_SIZE(preserve); i++) {
		expect_sentence(luo_preserve_advice(-preserve[i]));
		assert_ptr_equal(luo_preserve_advice(-preserve[i]),
				 luo_preserve_advice(preserve[i]));
		assert_ptr_not_equal(luo_preserve_advice(-preserve[i]), luo_preserve_advice(0));
	}
	for (size_t i = 0; i < ARRAY_SIZE(retrieve); i++) {
		expect_sentence(luo_retrieve_advice(-retrieve[i]));
		assert_ptr_not_equal(luo_retrieve_advice(-retrieve[i]), luo_retrieve_advice(0));
	}
	for (size_t i = 0; i < ARRAY_SIZE(session); i++) {
		expect_sentence(luo_session_advice(-session[i]));
		assert_ptr_not_equal(luo_session_advice(-session[i]), luo_session_advice(0));
	}
	expect_sentence(luo_preserve_advice(-EXFULL));
	expect_sentence(luo_retrieve_advice(-EXFULL));
	expect_sentence(luo_session_advice(-EXFULL));
}

static void test_what_can_be_asked_for_again(void **state)
{
	assert_false(transport_luo.is_final(-EMFILE));
	assert_false(transport_luo.is_final(ENFILE));
	assert_true(transport_luo.is_final(-ENOMEM));
	assert_true(transport_luo.is_final(-ENOENT));
	assert_true(transport_luo.is_final(-EIO));
}

/* Whether a file is preserved is asked of live memory: nothing may change by it. */
static void expect_not_preserved(int seals, uint64_t size)
{
	int fd = memfd_create("live", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct stat before, after;
	char byte = 0;

	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	if (size > 0)
		assert_int_equal(pwrite(fd, "x", 1, 0), 1);
	assert_int_equal(lseek(fd, 5, SEEK_SET), 5);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	assert_int_equal(fstat(fd, &before), 0);
	assert_int_equal(luo_is_preserved(fd), 0);
	assert_int_equal(fstat(fd, &after), 0);
	assert_int_equal(after.st_size, before.st_size);
	assert_int_equal(after.st_blocks, before.st_blocks);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 5);
	assert_true(size == 0 || (pread(fd, &byte, 1, 0) == 1 && byte == 'x'));
	safe_close(fd);
}

static void test_asking_whether_preserved_changes_nothing(void **state)
{
	int fd;

	expect_not_preserved(0, 0);
	expect_not_preserved(0, 10000);
	expect_not_preserved(F_SEAL_GROW | F_SEAL_SHRINK, 10000);
	expect_not_preserved(F_SEAL_GROW, 0);
	expect_not_preserved(F_SEAL_WRITE | F_SEAL_GROW, 10000);
	expect_not_preserved(F_SEAL_WRITE, 1);

	fd = memfd_create("fixed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_WRITE), 0);
	assert_int_equal(luo_is_preserved(fd), -ENODATA);
	safe_close(fd);
	assert_int_equal(luo_is_preserved(-1), -EBADF);
}

static void test_stage_names_who_is_not_held(void **state)
{
	struct transport_item item = {
		.fd = memfd_create("a", MFD_CLOEXEC),
		.label = "region \"a\" of x.service",
	};
	_cleanup_free_ char *message = NULL;
	size_t failed = 99;

	assert_int_equal(transport_luo.stage(&item, 1, &failed, &message), -ESTALE);
	assert_int_equal(failed, 0);
	assert_non_null(strstr(message, item.label));
	assert_int_equal(transport_luo.stage(&item, 0, &failed, NULL), 0);
	safe_close(item.fd);
}

static void test_abort_closes_and_waits_for_nobody(void **state)
{
	struct transport_item item = {.fd = memfd_create("a", MFD_CLOEXEC), .label = "a"};
	int sessions[] = {memfd_create("s", MFD_CLOEXEC), -EBADF};
	int closed = sessions[0];
	size_t failed;

	assert_int_equal(transport_luo.abort(sessions, 2, &item, 1, 0, &failed, NULL), 0);
	assert_int_equal(sessions[0], -EBADF);
	assert_int_equal(fcntl(closed, F_GETFD), -1);
	safe_close(item.fd);
}

static void test_probe(void **state)
{
	struct kernel_info info = {.luo = true};
	_cleanup_free_ char *message = NULL;

	assert_int_equal(transport_luo.probe(&info, &message), 0);
	assert_null(message);
	info = (struct kernel_info){.luo_reason = (char *)"no luck"};
	assert_int_equal(transport_luo.probe(&info, &message), -EOPNOTSUPP);
	assert_string_equal(message, "no luck");
}

static void test_bytes(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} table[] = {
		{0, "0 bytes"},		  {1023, "1023 bytes"}, {1024, "1.0 KiB"},
		{1536, "1.5 KiB"},	  {MIB - 1, "1.0 MiB"}, {64 * MIB, "64.0 MiB"},
		{UINT64_MAX, "16.0 EiB"},
	};
	char buf[BYTES_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		assert_string_equal(format_bytes(buf, table[i].bytes), table[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_session_names),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_late_items_move_nobody),
		cmocka_unit_test(test_demand),
		cmocka_unit_test(test_verdict_has_the_numbers),
		cmocka_unit_test(test_check_refuses_what_can_not_be),
		cmocka_unit_test(test_errors_have_sentences),
		cmocka_unit_test(test_what_can_be_asked_for_again),
		cmocka_unit_test(test_asking_whether_preserved_changes_nothing),
		cmocka_unit_test(test_stage_names_who_is_not_held),
		cmocka_unit_test(test_abort_closes_and_waits_for_nobody),
		cmocka_unit_test(test_probe),
		cmocka_unit_test(test_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
