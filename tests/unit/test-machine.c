/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/machine.h"
#include "tests/unit/fake-root.h"

#define OUT "sys/kernel/debug/kho/out/"

static int fake_machine(void)
{
	int root = fake_root_open();

	fake_file(root, "proc/sys/kernel/osrelease", "7.3.4\n");
	fake_file(root, "proc/sys/kernel/random/boot_id", "01234567-89ab-cdef-0123-456789abcdef\n");
	fake_file(root, "proc/meminfo",
		  "MemTotal:        2000000 kB\nMemAvailable:    1000000 kB\n"
		  "CmaTotal:              0 kB\nCmaFree:               0 kB\n");
	fake_file(root, "proc/cmdline", "BOOT_IMAGE=/vmlinuz kho=on  \n");
	fake_file(root, OUT "scratch_phys", "0x73000000\n0x0\n0x6d000000\n");
	fake_file(root, OUT "scratch_len", "0x6800000\n0x0\n0x6000000\n");
	return root;
}

static void test_scratch(void **state)
{
	struct machine m;
	int root = fake_machine();

	assert_int_equal(machine_read_at(root, &m), 0);
	assert_string_equal(m.cmdline, "BOOT_IMAGE=/vmlinuz kho=on");
	assert_int_equal(m.memory_total, UINT64_C(2000000) * 1024);
	assert_int_equal(m.n_areas, 3);
	assert_int_equal(m.areas[0].start, 0x73000000);
	assert_int_equal(m.areas[0].size, 104 << 20);
	assert_int_equal(m.areas[1].size, 0);
	assert_int_equal(m.areas[2].size, 96 << 20);
	assert_null(m.scratch_problem);
	machine_done(&m);

	/* 7.4 */
	fake_remove(root, OUT "scratch_phys");
	fake_remove(root, OUT "scratch_len");
	fake_file(root, OUT "bootmem_phys", "0x1000\n");
	fake_file(root, OUT "bootmem_len", "0x2000\n");
	assert_int_equal(machine_read_at(root, &m), 0);
	assert_int_equal(m.n_areas, 1);
	assert_int_equal(m.areas[0].size, 0x2000);
	machine_done(&m);

	fake_file(root, OUT "bootmem_len", "0x2000\n0x1\n");
	assert_int_equal(machine_read_at(root, &m), 0);
	assert_non_null(m.scratch_problem);
	machine_done(&m);
	fake_file(root, OUT "bootmem_len", "many\n");
	assert_int_equal(machine_read_at(root, &m), 0);
	assert_non_null(m.scratch_problem);
	assert_int_equal(m.n_areas, 0);
	machine_done(&m);
	fake_remove(root, OUT "bootmem_phys");
	assert_int_equal(machine_read_at(root, &m), 0);
	assert_non_null(strstr(m.scratch_problem, "mount debugfs"));
	machine_done(&m);
	fake_root_close(root);
}

static void test_restrictions(void **state)
{
	struct machine m;
	int root = fake_machine();

	assert_int_equal(machine_read_at(root, &m), 0);
	assert_false(m.locked_down || m.loading_disabled);
	assert_int_equal(m.ima_size, 0);
	assert_int_equal(m.efi_map_size, 0);
	machine_done(&m);
	fake_file(root, "sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
	fake_file(root, "proc/sys/kernel/kexec_load_disabled", "1\n");
	fake_file(root, "sys/kernel/security/ima/binary_runtime_measurements", "0123456789");
	fake_file(root, "sys/firmware/efi/runtime-map/0/type", "0x5\n");
	fake_file(root, "sys/firmware/efi/runtime-map/1/type", "0x5\n");
	assert_int_equal(machine_read_at(root, &m), 0);
	assert_true(m.locked_down && m.loading_disabled);
	assert_int_equal(m.ima_size, 10 + 4096);
	assert_int_equal(m.efi_map_size, 96);
	machine_done(&m);
	fake_file(root, "sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
	assert_int_equal(machine_read_at(root, &m), 0);
	assert_false(m.locked_down);
	machine_done(&m);
	fake_root_close(root);
}

static void fake_fd(int root, const char *path, const char *target)
{
	fake_file(root, path, "");
	assert_int_equal(unlinkat(root, path, 0), 0);
	assert_int_equal(symlinkat(target, root, path), 0);
}

static void test_sessions(void **state)
{
	struct machine m;
	int root = fake_machine();

	fake_file(root, "proc/77/comm", "agentd\n");
	fake_fd(root, "proc/77/fd/3", "anon_inode:[luo_session] zeta");
	fake_fd(root, "proc/77/fd/4", "anon_inode:[luo_session] alpha beta");
	fake_fd(root, "proc/77/fd/5", "/dev/null");
	fake_fd(root, "proc/77/fd/6", "anon_inode:[eventpoll]");
	fake_fd(root, "proc/78/fd/3", "anon_inode:[luo_session] zeta");
	fake_fd(root, "proc/79/fd/3", "anon_inode:[luo_session] kho-0123456789abcdef-0");
	fake_fd(root, "proc/79/fd/4", "anon_inode:[luo_session] kho-0123456789abcdef-12");
	fake_fd(root, "proc/79/fd/5", "anon_inode:[luo_session] kho-0123456789abcdef");
	fake_fd(root, "proc/sysvipc/fd/3", "anon_inode:[luo_session] nobody");
	assert_int_equal(machine_read_at(root, &m), 0);
	assert_int_equal(m.sessions.n_holders, 3);
	assert_string_equal(m.sessions.holders[0].name, "alpha beta");
	assert_int_equal(m.sessions.holders[0].pid, 77);
	assert_string_equal(m.sessions.holders[0].program, "agentd");
	assert_string_equal(m.sessions.holders[1].name, "kho-0123456789abcdef");
	assert_string_equal(m.sessions.holders[1].program, "");
	assert_string_equal(m.sessions.holders[2].name, "zeta");
	machine_done(&m);
	fake_root_close(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scratch),
		cmocka_unit_test(test_restrictions),
		cmocka_unit_test(test_sessions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
