/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/memory.h"
#include "tests/unit/fake-root.h"

static void test_room(void **state)
{
	int root = fake_root_open();
	struct memory_room room;

	assert_int_equal(memory_room_at(root, &room), -ENOENT);
	fake_file(root, "proc/meminfo", "MemTotal: 2046228 kB\n");
	assert_int_equal(memory_room_at(root, &room), -EBADMSG);

	fake_file(root, "proc/meminfo", "MemTotal: 9000 kB\nMemAvailable:    1000 kB\n");
	assert_int_equal(memory_room_at(root, &room), 0);
	assert_int_equal(room.available, 1000 << 10);
	assert_int_equal(room.cma_used, 0);

	fake_file(root, "proc/meminfo",
		  "MemAvailable: 1000 kB\nCmaTotal: 100 kB\nCmaFree: 300 kB\n");
	fake_file(root, "sys/kernel/debug/kho/out/scratch_len", "0x40000\n0x0\n0x20000\n");
	assert_int_equal(memory_room_at(root, &room), 0);
	assert_int_equal(room.available, 700 << 10);
	assert_int_equal(room.cma_used, (100 + 256 + 128 - 300) << 10);

	fake_remove(root, "sys/kernel/debug/kho/out/scratch_len");
	fake_file(root, "sys/kernel/debug/kho/out/bootmem_len", "0x80000\n");
	assert_int_equal(memory_room_at(root, &room), 0);
	assert_int_equal(room.cma_used, (100 + 512 - 300) << 10);
	fake_root_close(root);
}

static void test_room_is_never_negative(void **state)
{
	int root = fake_root_open();
	struct memory_room room;

	fake_file(root, "proc/meminfo", "MemAvailable: 100 kB\nCmaFree: 300 kB\n");
	assert_int_equal(memory_room_at(root, &room), 0);
	assert_int_equal(room.available, 0);
	assert_int_equal(room.cma_used, 0);
	fake_root_close(root);
}

static void expect_headroom(int root, uint64_t bytes, const char *path)
{
	_cleanup_free_ char *limiting = NULL;
	uint64_t room = 0;

	assert_int_equal(cgroup_memory_headroom_at(root, &room, &limiting), 0);
	assert_int_equal(room, bytes);
	if (path)
		assert_string_equal(limiting, path);
	else
		assert_null(limiting);
}

static void test_the_tightest_cgroup_counts(void **state)
{
	int root = fake_root_open();

	/* no cgroups, then none of version 2 */
	expect_headroom(root, UINT64_MAX, NULL);
	fake_file(root, "proc/self/cgroup", "4:memory:/a/b\n");
	expect_headroom(root, UINT64_MAX, NULL);

	fake_file(root, "proc/self/cgroup", "1:name=systemd:/x\n0::/a/b/c.service\n");
	expect_headroom(root, UINT64_MAX, NULL);
	fake_file(root, "sys/fs/cgroup/a/b/c.service/memory.max", "max\n");
	expect_headroom(root, UINT64_MAX, NULL);

	fake_file(root, "sys/fs/cgroup/a/memory.max", "1000000\n");
	fake_file(root, "sys/fs/cgroup/a/memory.current", "400000\n");
	expect_headroom(root, 600000, "/a");
	fake_file(root, "sys/fs/cgroup/a/b/memory.max", "800000\n");
	fake_file(root, "sys/fs/cgroup/a/b/memory.current", "100000\n");
	expect_headroom(root, 600000, "/a");
	fake_file(root, "sys/fs/cgroup/a/b/c.service/memory.max", "20000\n");
	fake_file(root, "sys/fs/cgroup/a/b/c.service/memory.current", "30000\n");
	expect_headroom(root, 0, "/a/b/c.service");
	fake_root_close(root);
}

/* In a cgroup namespace the root is somebody else's cgroup, with its limit. */
static void test_the_root_of_a_namespace_counts(void **state)
{
	int root = fake_root_open();

	fake_file(root, "proc/self/cgroup", "0::/\n");
	expect_headroom(root, UINT64_MAX, NULL);
	fake_file(root, "sys/fs/cgroup/memory.max", "4096\n");
	fake_file(root, "sys/fs/cgroup/memory.current", "4000\n");
	expect_headroom(root, 96, "/");
	fake_file(root, "proc/self/cgroup", "0::/a\n");
	expect_headroom(root, 96, "/");
	fake_root_close(root);
}

static void test_nonsense_is_an_error(void **state)
{
	int root = fake_root_open();
	_cleanup_free_ char *path = NULL;
	uint64_t room;

	fake_file(root, "proc/self/cgroup", "0::/a\n");
	fake_file(root, "sys/fs/cgroup/a/memory.max", "lots\n");
	assert_int_equal(cgroup_memory_headroom_at(root, &room, &path), -EBADMSG);
	fake_file(root, "sys/fs/cgroup/a/memory.max", "4096\n");
	assert_int_equal(cgroup_memory_headroom_at(root, &room, &path), -ENOENT);
	fake_file(root, "sys/fs/cgroup/a/memory.current", "\n");
	assert_int_equal(cgroup_memory_headroom_at(root, &room, &path), -EBADMSG);
	assert_null(path);
	fake_root_close(root);
}

static void test_this_machine(void **state)
{
	struct memory_room room;
	uint64_t available;

	assert_int_equal(memory_room(&room), 0);
	assert_true(room.available > 0);
	assert_int_equal(memory_available(&available), 0);
	assert_true(available > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_room_is_never_negative),
		cmocka_unit_test(test_the_tightest_cgroup_counts),
		cmocka_unit_test(test_the_root_of_a_namespace_counts),
		cmocka_unit_test(test_nonsense_is_an_error),
		cmocka_unit_test(test_this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
