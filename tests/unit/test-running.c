/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <archive.h>
#include <libfdt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "kho/kernel/running.h"
#include "tests/unit/btf-sample.h"
#include "tests/unit/fake-root.h"
#include "tests/unit/image-sample.h"

#define DEBUGFS "sys/kernel/debug/kho/"

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

/* What the kernel with that build-id shows as its notes: those, and others. */
static void put_notes(int root_fd, uint8_t build_id)
{
	static const uint8_t other[] = {4, 0, 0, 0, 2, 0, 0, 0, 1, 1, 0, 0, 'X', 'e', 'n', 0, 0, 0};
	_cleanup_blob_ struct blob notes = {}, kernel = {};

	sample_vmlinux(&kernel, build_id);
	blob_add(&notes, other, sizeof(other));
	blob_add(&notes, kernel.data + kernel.size - 36, 36);
	fake_blob(root_fd, "sys/kernel/notes", notes.data, notes.size);
}

static void put_kernel(int root_fd, const char *path, const struct blob *kernel)
{
	_cleanup_blob_ struct blob bzimage = {};

	assert_int_equal(sample_bzimage(&bzimage, kernel, ARCHIVE_FILTER_GZIP), 0);
	fake_blob(root_fd, path, bzimage.data, bzimage.size);
}

static void put_image(int root_fd, const char *path, uint8_t build_id, const char *kho)
{
	_cleanup_blob_ struct blob kernel = {};

	sample_vmlinux(&kernel, build_id);
	sample_string(&kernel, kho);
	sample_handler(&kernel, "memfd-v2");
	blob_fill(&kernel, 0x90, 16);
	put_kernel(root_fd, path, &kernel);
}

/* A tree whose root has that string, and a node below it the other, if any. */
static void put_tree(int root_fd, const char *path, const char *compatible, const char *below)
{
	char fdt[1024];

	assert_int_equal(fdt_create(fdt, sizeof(fdt)), 0);
	assert_int_equal(fdt_finish_reservemap(fdt), 0);
	assert_int_equal(fdt_begin_node(fdt, ""), 0);
	assert_int_equal(fdt_property_string(fdt, "compatible", compatible), 0);
	if (below) {
		assert_int_equal(fdt_begin_node(fdt, "luo-session"), 0);
		assert_int_equal(fdt_property_string(fdt, "compatible", below), 0);
		assert_int_equal(fdt_end_node(fdt), 0);
	}
	assert_int_equal(fdt_end_node(fdt), 0);
	assert_int_equal(fdt_finish(fdt), 0);
	fake_blob(root_fd, path, fdt, fdt_totalsize(fdt));
}

static struct running_kernel *read_running(void **state)
{
	struct running_kernel *kernel = NULL;

	assert_int_equal(running_kernel_read_at((int)(intptr_t)*state, SAMPLE_RELEASE, &kernel), 0);
	assert_string_equal(kernel->release, SAMPLE_RELEASE);
	return kernel;
}

static void assert_speaks_of(const char *problem, const char *words)
{
	assert_non_null(problem);
	if (!strstr(problem, words))
		fail_msg("\"%s\" does not speak of \"%s\"", problem, words);
}

static void test_proven_by_build_id(void **state)
{
	int root_fd = (int)(intptr_t)*state;
	_cleanup_running_kernel_ struct running_kernel *kernel = NULL;

	put_notes(root_fd, 2);
	put_image(root_fd, "boot/vmlinuz-" SAMPLE_RELEASE, 1, "kho-v3"); /* built again */
	put_image(root_fd, "boot/vmlinuz.old", 2, "kho-v4");
	kernel = read_running(state);
	assert_null(kernel->problem);
	assert_string_equal(kernel->image->path, "/boot/vmlinuz.old");
	assert_string_equal(kernel->abi.kho, "kho-v4");
	assert_string_equal(kernel->abi.file_handlers[0], "memfd-v2");
}

static void test_everywhere(void **state)
{
	static const char *const paths[] = {
		"boot/vmlinuz-" SAMPLE_RELEASE,
		"usr/lib/modules/" SAMPLE_RELEASE "/vmlinuz",
		"lib/modules/" SAMPLE_RELEASE "/vmlinuz",
		"boot/vmlinuz",
		"boot/efi/EFI/Linux/some.efi",
	};
	int root_fd = (int)(intptr_t)*state;

	put_notes(root_fd, 2);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		_cleanup_running_kernel_ struct running_kernel *kernel = NULL;

		put_image(root_fd, paths[i], 2, "kho-v4");
		kernel = read_running(state);
		assert_non_null(kernel->image);
		assert_string_equal(kernel->image->path + 1, paths[i]);
		fake_remove(root_fd, paths[i]);
	}
}

static void test_not_found(void **state)
{
	int root_fd = (int)(intptr_t)*state;
	_cleanup_running_kernel_ struct running_kernel *none = NULL, *other = NULL, *broken = NULL;
	_cleanup_running_kernel_ struct running_kernel *no_notes = NULL;
	_cleanup_blob_ struct blob kernel = {}, bzimage = {};

	no_notes = read_running(state);
	assert_speaks_of(no_notes->problem, "/sys/kernel/notes");
	assert_null(no_notes->image);
	put_notes(root_fd, 2);
	none = read_running(state);
	assert_speaks_of(none->problem, "build-id");
	put_image(root_fd, "boot/vmlinuz-" SAMPLE_RELEASE, 1, "kho-v3");
	other = read_running(state);
	assert_speaks_of(other->problem, "build-id");
	assert_null(other->image);
	assert_null(other->abi.kho);
	sample_vmlinux(&kernel, 2);
	assert_int_equal(sample_bzimage(&bzimage, &kernel, ARCHIVE_FILTER_GZIP), 0);
	bzimage.data[SAMPLE_PAYLOAD + 30] ^= 0xff;
	fake_blob(root_fd, "boot/vmlinuz-" SAMPLE_RELEASE, bzimage.data, bzimage.size);
	broken = read_running(state);
	assert_speaks_of(broken->problem, "damaged");
	assert_null(broken->image);
}

/* 7.1: trees all over; what the kernel took over from the previous one agrees with it. */
static void test_trees(void **state)
{
	int root_fd = (int)(intptr_t)*state;
	_cleanup_running_kernel_ struct running_kernel *kernel = NULL;

	put_tree(root_fd, DEBUGFS "in/fdt", "kho-v3", NULL);
	put_tree(root_fd, DEBUGFS "out/sub_fdts/LUO", "luo-v1", "luo-session-v2");
	put_tree(root_fd, DEBUGFS "in/sub_fdts/LUO", "luo-v7", NULL); /* stale */
	kernel = read_running(state);
	assert_null(kernel->image);
	assert_string_equal(kernel->abi.kho, "kho-v3");
	assert_string_equal(kernel->abi.luo, "luo-v1");
	assert_string_equal(kernel->abi.luo_session, "luo-session-v2");
	assert_null(kernel->abi.luo_flb);
}

/* 7.3: LUO's string, raw. */
static void test_raw(void **state)
{
	static const char luo[32] = "luo-v5";
	int root_fd = (int)(intptr_t)*state;
	_cleanup_running_kernel_ struct running_kernel *kernel = NULL;

	put_tree(root_fd, DEBUGFS "out/fdt", "kho-v4", NULL);
	fake_blob(root_fd, DEBUGFS "out/sub_fdts/LUO", luo, sizeof(luo));
	kernel = read_running(state);
	assert_string_equal(kernel->abi.kho, "kho-v4");
	assert_string_equal(kernel->abi.luo, "luo-v5");
}

/* out/fdt of 7.x ends where it ended when the file was made. */
static void test_cut_tree(void **state)
{
	int root_fd = (int)(intptr_t)*state;
	char fdt[1024];

	assert_int_equal(fdt_create(fdt, sizeof(fdt)), 0);
	assert_int_equal(fdt_finish_reservemap(fdt), 0);
	assert_int_equal(fdt_begin_node(fdt, ""), 0);
	assert_int_equal(fdt_property_string(fdt, "compatible", "kho-v4"), 0);
	assert_int_equal(fdt_end_node(fdt), 0);
	assert_int_equal(fdt_finish(fdt), 0);
	for (int size = (int)fdt_totalsize(fdt); size > 0; size--) {
		_cleanup_running_kernel_ struct running_kernel *kernel = NULL;
		/* Its header, the two words of the root node, three of the property, the value. */
		bool has_value = (size_t)size >= fdt_off_dt_struct(fdt) + 8 + 12 + sizeof("kho-v4");

		fake_blob(root_fd, DEBUGFS "out/fdt", fdt, (size_t)size);
		kernel = read_running(state);
		if (has_value)
			assert_string_equal(kernel->abi.kho, "kho-v4");
		else
			assert_null(kernel->abi.kho);
	}
}

static void test_hostile_witness(void **state)
{
	int root_fd = (int)(intptr_t)*state;
	_cleanup_running_kernel_ struct running_kernel *kernel = NULL;
	char header[40] = "\xd0\x0d\xfe\xed\xff\xff\xff\xff";

	fake_blob(root_fd, DEBUGFS "out/fdt", header, sizeof(header));
	fake_blob(root_fd, DEBUGFS "in/fdt", "kho-v4", 6); /* without its end */
	fake_blob(root_fd, DEBUGFS "out/sub_fdts/LUO",
		  "\x7f"
		  "ELF",
		  5);
	kernel = read_running(state);
	assert_null(kernel->abi.kho);
	assert_null(kernel->abi.luo);
}

static void test_disputed(void **state)
{
	int root_fd = (int)(intptr_t)*state;
	_cleanup_running_kernel_ struct running_kernel *kernel = NULL;

	put_notes(root_fd, 2);
	put_image(root_fd, "boot/vmlinuz-" SAMPLE_RELEASE, 2, "kho-v4");
	put_tree(root_fd, DEBUGFS "out/fdt", "kho-v3", NULL);
	put_tree(root_fd, DEBUGFS "in/fdt", "kho-v4", NULL);
	kernel = read_running(state);
	assert_null(kernel->abi.kho);
	assert_speaks_of(kernel->problem, "/sys/kernel/debug/kho");
}

static const char *first_member(const struct abi_layouts *layouts)
{
	for (size_t i = 0; i < ABI_STRUCTURES; i++)
		if (abi_layouts_have(layouts, i))
			return layouts->of[i].fields[0].name;
	return "";
}

/* Of the image, unless the kernel shows its own. */
static void test_layouts(void **state)
{
	static const char *const here[] = {"of_the_kernel"}, *const there[] = {"of_the_image"};
	int root_fd = (int)(intptr_t)*state;
	_cleanup_running_kernel_ struct running_kernel *of_image = NULL, *of_kernel = NULL;
	_cleanup_blob_ struct blob kernel = {}, btf = {};

	put_notes(root_fd, 2);
	sample_vmlinux(&kernel, 2);
	sample_btf(&kernel, "luo_ser", there, 1);
	put_kernel(root_fd, "boot/vmlinuz-" SAMPLE_RELEASE, &kernel);
	of_image = read_running(state);
	assert_string_equal(first_member(&of_image->layouts), "of_the_image");

	sample_btf(&btf, "luo_ser", here, 1);
	fake_blob(root_fd, "sys/kernel/btf/vmlinux", btf.data, btf.size);
	of_kernel = read_running(state);
	assert_string_equal(first_member(&of_kernel->layouts), "of_the_kernel");
	assert_string_equal(first_member(&of_kernel->image->layouts), "of_the_image");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_proven_by_build_id, setup, teardown),
		cmocka_unit_test_setup_teardown(test_everywhere, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_found, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trees, setup, teardown),
		cmocka_unit_test_setup_teardown(test_raw, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut_tree, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile_witness, setup, teardown),
		cmocka_unit_test_setup_teardown(test_disputed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_layouts, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
