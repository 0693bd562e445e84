/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/generation.h"
#include "tests/unit/fake-root.h"

#define KHO "sys/kernel/debug/kho/"
#define METADATA KHO "in/sub_fdts/kexec-metadata"

static int machine(const char *release)
{
	int root = fake_root_open();

	fake_file(root, "proc/sys/kernel/osrelease", release);
	fake_file(root, "proc/sys/kernel/random/boot_id", "0f8fad5b-d9cb-469f-a165-70867728950e\n");
	return root;
}

/* What is said of it: generation, whether LUO works, and a word of the reason if not. */
static void expect(int root, enum kho_generation generation, bool luo, const char *reason)
{
	struct kernel_info info;

	assert_int_equal(kernel_probe_at(root, &info), 0);
	assert_string_equal(kho_generation_name(info.generation), kho_generation_name(generation));
	assert_int_equal(info.luo, luo);
	if (luo)
		assert_null(info.luo_reason);
	else
		assert_non_null(strstr(info.luo_reason, reason));
	kernel_info_done(&info);
}

static void test_generations(void **state)
{
	int root = machine("6.17.2\n");

	expect(root, KHO_UNKNOWN, false, "debugfs");
	fake_file(root, KHO "out/finalize", "0\n");
	fake_file(root, KHO "out/scratch_phys", "0x0\n");
	expect(root, KHO_FINALIZE, false, "boot 6.19 or newer");
	fake_remove(root, KHO "out/finalize");
	expect(root, KHO_STATELESS, false, "liveupdate=on");
	fake_remove(root, KHO "out/scratch_phys");
	fake_file(root, KHO "out/bootmem_phys", "0x0\n");
	expect(root, KHO_BOOTMEM, false, "liveupdate=on");
	fake_file(root, "dev/liveupdate", "");
	expect(root, KHO_BOOTMEM, true, NULL);
	fake_file(root, "sys/kernel/kho/active", "0\n");
	expect(root, KHO_OUT_OF_TREE, true, NULL);
	fake_root_close(root);
}

static void test_device_without_debugfs(void **state)
{
	int root = machine("7.3.4-lab\n");

	fake_file(root, "dev/liveupdate", "");
	expect(root, KHO_STATELESS, true, NULL);
	fake_file(root, "proc/sys/kernel/osrelease", "7.4.0-rc1\n");
	expect(root, KHO_BOOTMEM, true, NULL);
	fake_root_close(root);
}

static void test_not_built_in(void **state)
{
	int root = machine("6.1.0-40-amd64\n");

	fake_file(root, "proc/kallsyms", "0 T kho_is_enabled_not\n0 t x\n0 T not_kho_is_enabled\n");
	expect(root, KHO_NONE, false, "CONFIG_KEXEC_HANDOVER=y");
	fake_root_close(root);
}

static void test_switched_off(void **state)
{
	int root = machine("7.3.4\n");

	fake_file(root, "proc/kallsyms", "0 t a\n0000000000000000 T kho_is_enabled\n");
	expect(root, KHO_UNKNOWN, false, "debugfs is missing");
	fake_file(root, "sys/kernel/debug/sleep_time", "");
	fake_remove(root, "sys/kernel/debug/sleep_time");
	expect(root, KHO_UNKNOWN, false, "debugfs is not mounted: mount -t debugfs");
	fake_file(root, "sys/kernel/debug/sleep_time", "");
	expect(root, KHO_OFF, false, "kho=on liveupdate=on");
	fake_root_close(root);
}

static void test_live_update_not_built_in(void **state)
{
	int root = machine("7.3.4\n");

	fake_file(root, KHO "out/scratch_phys", "0x0\n");
	fake_file(root, "proc/kallsyms", "0 T kho_is_enabled\t[module]\n");
	expect(root, KHO_STATELESS, false, "CONFIG_LIVEUPDATE");
	fake_file(root, "proc/kallsyms", "0 T liveupdate_enabled\n");
	expect(root, KHO_STATELESS, false, "liveupdate=on");
	fake_root_close(root);
}

struct metadata {
	uint32_t version;
	char previous_release[65];
	uint32_t kexec_count;
} __attribute__((packed));

static void expect_metadata(int root, const void *blob, size_t size, bool expected)
{
	struct kernel_info info;

	fake_blob(root, METADATA, blob, size);
	assert_int_equal(kernel_probe_at(root, &info), 0);
	assert_int_equal(info.has_metadata, expected);
	assert_int_equal(info.kexec_count, expected ? 3 : 0);
	assert_string_equal(info.previous_release, expected ? "7.1.13" : "");
	kernel_info_done(&info);
}

static void test_metadata(void **state)
{
	struct metadata metadata = {1, "7.1.13", 3};
	int root = machine("7.3.4\n");

	expect_metadata(root, &metadata, sizeof(metadata), true);
	expect_metadata(root, &metadata, sizeof(metadata) - 1, false);
	metadata.version = 2;
	expect_metadata(root, &metadata, sizeof(metadata), false);
	metadata.version = 1;
	metadata.previous_release[2] = 7;
	expect_metadata(root, &metadata, sizeof(metadata), false);
	memset(metadata.previous_release, 'x', sizeof(metadata.previous_release));
	expect_metadata(root, &metadata, sizeof(metadata), false);
	fake_root_close(root);
}

static void test_identity(void **state)
{
	int root = machine("7.3.4-lab\n");
	struct kernel_info info;
	uint64_t now = (uint64_t)time(NULL) * 1000000;

	fake_file(root, "sys/kernel/kexec_loaded", "1\n");
	assert_int_equal(kernel_probe_at(root, &info), 0);
	assert_string_equal(info.release, "7.3.4-lab");
	assert_string_equal(info.boot_id, "0f8fad5b-d9cb-469f-a165-70867728950e");
	assert_true(info.kexec_loaded);
	assert_true(info.start_usec <= now + 1000000);
	kernel_info_done(&info);

	fake_file(root, "sys/kernel/kexec_loaded", "0\n");
	assert_int_equal(kernel_probe_at(root, &info), 0);
	assert_false(info.kexec_loaded);
	kernel_info_done(&info);
	fake_remove(root, "proc/sys/kernel/osrelease");
	assert_int_equal(kernel_probe_at(root, &info), -ENOENT);
	fake_root_close(root);
}

static void test_every_generation_has_a_name_and_advice(void **state)
{
	for (int i = 0; i < _KHO_GENERATION_MAX; i++) {
		assert_non_null(kho_generation_name(i));
		assert_non_null(kho_generation_advice(i));
		for (int j = 0; j < i; j++)
			assert_string_not_equal(kho_generation_name(i), kho_generation_name(j));
	}
	assert_string_equal(kho_generation_name(_KHO_GENERATION_MAX), "unknown");
	assert_non_null(kho_generation_advice(_KHO_GENERATION_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_generations),
		cmocka_unit_test(test_device_without_debugfs),
		cmocka_unit_test(test_not_built_in),
		cmocka_unit_test(test_switched_off),
		cmocka_unit_test(test_live_update_not_built_in),
		cmocka_unit_test(test_metadata),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_every_generation_has_a_name_and_advice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
