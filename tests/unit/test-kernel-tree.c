/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <libfdt.h>

#include "kho/cli/json.h"
#include "kho/cli/kernel-tree-json.h"
#include "kho/cli/kernel-tree-print.h"
#include "kho/core/cleanup.h"
#include "kho/kernel/kernel-blob.h"
#include "tests/unit/fake-root.h"
#include "tests/unit/kernel-sample.h"

#define KHO "sys/kernel/debug/kho/"

static const struct sample_metadata metadata = {1, "7.1.13-lab", 3};
static const struct sample_luo luo = {"luo-v5", 2, 0xabc000, 0xdef000};

static void put_tree(int root, const char *path, void *(*sample)(size_t *))
{
	size_t size;
	_cleanup_free_ void *blob = sample(&size);

	fake_blob(root, path, blob, size);
}

static void put_root(int root, const char *path, const char *compatible, const char *const *names,
		     uint64_t blob_size)
{
	size_t size;
	_cleanup_free_ void *blob = sample_root(compatible, names, blob_size, &size);

	fake_blob(root, path, blob, size);
}

static int machine(const char *release)
{
	int root = fake_root_open();

	fake_file(root, "proc/sys/kernel/osrelease", release);
	return root;
}

/* 6.18, finalized. */
static int machine_finalize(void)
{
	static const char *const names[] = {"kho_test", "memblock", NULL};
	int root = machine("6.18.15-lab\n");

	fake_file(root, KHO "out/finalize", "1\n");
	fake_file(root, KHO "out/scratch_phys", "0x75e00000\n0x7fe00000\n0x6f800000\n");
	fake_file(root, KHO "out/scratch_len", "0x7600000\n0x0\n0x6600000\n");
	put_root(root, KHO "out/fdt", "kho-v1", names, 0);
	put_tree(root, KHO "out/sub_fdts/memblock", sample_memblock);
	put_tree(root, KHO "out/sub_fdts/kho_test", sample_test);
	return root;
}

/* 7.3, booted by a handover. */
static int machine_stateless(void)
{
	static const char *const names[] = {"kexec-metadata", "LUO", "novelty", NULL};
	int root = machine("7.3.4-lab\n");

	fake_file(root, KHO "out/scratch_phys", "0x75e00000\n");
	fake_file(root, KHO "out/scratch_len", "0x7600000\n");
	put_root(root, KHO "in/fdt", "kho-v4", names, 73);
	fake_blob(root, KHO "in/sub_fdts/kexec-metadata", &metadata, sizeof(metadata));
	fake_blob(root, KHO "in/sub_fdts/LUO", "\177ELF\2\1\1", 8);
	fake_blob(root, KHO "in/sub_fdts/novelty", "\1\2\3\\", 4);
	fake_blob(root, KHO "out/sub_fdts/LUO", &luo, sizeof(luo));
	return root;
}

static char *shown(const struct kernel_tree *tree)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	assert_int_equal(kernel_tree_print(f, tree), 0);
	fclose(f);
	return text;
}

static void expect_shown(const struct kernel_tree *tree, const char *const *texts)
{
	_cleanup_free_ char *text = shown(tree);

	for (; *texts; texts++)
		if (!strstr(text, *texts))
			fail_msg("no '%s' in:\n%s", *texts, text);
}

static void test_finalized(void **state)
{
	static const char *const texts[] = {
		"KHO finalize",
		"// scratch area: 118 MiB at 0x75e00000\n// scratch area: 0 B at 0x7fe00000\n",
		"// fdt: tree, ",
		"\tcompatible = \"kho-v1\";\n",
		"\tpreserved-memory-map = <0x400903e 0x3000000>; // 0x33e900004\n",
		"// kho_test: tree, ",
		"own test: 3 folios, checksum 0xb2ac0c00\n",
		"// memblock: tree, 210 bytes at 0x2000\n"
		"//   reserve_mem \"khobuf\": 4 MiB at 0x7d800000\n/dts-v1/;\n",
		NULL,
	};
	int root = machine_finalize();
	struct kernel_tree tree;

	assert_int_equal(kernel_tree_read(root, KERNEL_OUT, &tree), 0);
	assert_int_equal(tree.n_blobs, 2);
	assert_int_equal(tree.n_scratch, 3);
	assert_null(tree.reason);
	expect_shown(&tree, texts);
	kernel_tree_done(&tree);
	assert_int_equal(kernel_tree_read(root, KERNEL_IN, &tree), -ENOENT);
	assert_non_null(strstr(tree.reason, "nothing was handed to this kernel"));
	kernel_tree_done(&tree);
	fake_root_close(root);
}

static void test_not_finalized(void **state)
{
	int root = machine_finalize();
	struct kernel_tree tree;

	fake_remove(root, KHO "out/fdt");
	assert_int_equal(kernel_tree_read(root, KERNEL_OUT, &tree), 0);
	assert_non_null(strstr(tree.reason, "kexec --kho -l"));
	kernel_tree_done(&tree);
	fake_root_close(root);
}

static void test_stateless_in(void **state)
{
	static const char *const texts[] = {
		"// previous release: 7.1.13-lab\n// kexec count since the cold boot: 3\n",
		"// kexec-metadata: kexec-metadata, 73 bytes at 0x1000\n",
		"//   version 1, previous release 7.1.13-lab, kexec count 3\n",
		"// LUO: stale, 8 bytes at 0x2000\n//   the kernel has freed this memory",
		"//   0000  7f 45 4c 46 02 01 01 00",
		".ELF....\n",
		/* no backslash at the end of a line */
		"// novelty: bytes, 4 bytes at 0x3000\n//   0000  01 02 03 5c",
		"  ....\n",
		NULL,
	};
	int root = machine_stateless();
	struct kernel_tree tree;

	assert_int_equal(kernel_tree_read(root, KERNEL_IN, &tree), 0);
	expect_shown(&tree, texts);
	assert_non_null(kernel_tree_find(&tree, "LUO"));
	assert_ptr_equal(kernel_tree_find(&tree, "fdt"), &tree.root);
	assert_null(kernel_tree_find(&tree, "lu"));
	kernel_tree_done(&tree);
	fake_root_close(root);
}

static void test_stateless_out(void **state)
{
	static const char *const texts[] = {
		"// fdt: booted by a handover itself",
		"// LUO: luo, 32 bytes\n//   luo-v5, live update 2, sessions at 0xabc000, FLBs at "
		"0xdef000\n",
		NULL,
	};
	int root = machine_stateless();
	struct kernel_tree tree;

	assert_int_equal(kernel_tree_read(root, KERNEL_OUT, &tree), 0);
	expect_shown(&tree, texts);
	kernel_tree_done(&tree);
	fake_root_close(root);
}

static void test_bootmem(void **state)
{
	int root = machine("7.4.0\n");
	struct kernel_tree tree;

	fake_file(root, KHO "out/bootmem_phys", "0x75e00000\n");
	fake_file(root, KHO "out/bootmem_len", "0x7600000\n");
	assert_int_equal(kernel_tree_read(root, KERNEL_OUT, &tree), 0);
	assert_int_equal(tree.n_scratch, 1);
	assert_int_equal(tree.scratch[0].address, 0x75e00000);
	assert_int_equal(tree.scratch[0].size, 0x7600000);
	kernel_tree_done(&tree);
	fake_root_close(root);
}

static void test_out_of_tree(void **state)
{
	static const char *const none[] = {NULL};
	int root = machine("6.5.0\n");
	struct kernel_tree tree;

	fake_file(root, "sys/kernel/kho/active", "1\n");
	fake_file(root, "sys/kernel/kho/scratch_phys", "0x1000000\n");
	fake_file(root, "sys/kernel/kho/scratch_len", "0x2000000\n");
	put_root(root, "sys/kernel/kho/dt", "kho-v0", none, 0);
	assert_int_equal(kernel_tree_read(root, KERNEL_OUT, &tree), 0);
	assert_int_equal(tree.root.form, KERNEL_FORM_TREE);
	assert_int_equal(tree.scratch[0].size, 0x2000000);
	kernel_tree_done(&tree);
	fake_root_close(root);
}

static void test_nothing_there(void **state)
{
	int root = machine("6.1.0\n");
	struct kernel_tree tree;

	fake_file(root, "proc/kallsyms", "0 t x\n");
	assert_int_equal(kernel_tree_read(root, KERNEL_OUT, &tree), -ENOENT);
	assert_non_null(strstr(tree.reason, "CONFIG_KEXEC_HANDOVER=y"));
	kernel_tree_done(&tree);
	fake_root_close(root);
}

/* On 6.16 to 6.18 every blob is a tree; what is none has been given up. */
static void test_stale_tree(void **state)
{
	static const char *const names[] = {"memblock", "driver", NULL};
	int root = machine_finalize();
	struct kernel_tree tree;

	put_root(root, KHO "in/fdt", "kho-v1", names, 0);
	fake_blob(root, KHO "in/sub_fdts/memblock", "\320\r\376\355", 4);
	fake_blob(root, KHO "in/sub_fdts/driver", "abc", 3);
	assert_int_equal(kernel_tree_read(root, KERNEL_IN, &tree), 0);
	assert_int_equal(kernel_tree_find(&tree, "memblock")->form, KERNEL_FORM_STALE);
	assert_int_equal(kernel_tree_find(&tree, "driver")->form, KERNEL_FORM_STALE);
	kernel_tree_done(&tree);
	fake_root_close(root);
}

static void test_incoming_luo_of_7_1_is_kept(void **state)
{
	static const char *const none[] = {NULL};
	size_t size;
	_cleanup_free_ void *blob = sample_root("luo-v1", none, 0, &size);

	assert_int_equal(kernel_form_of(KERNEL_IN, "LUO", blob, size), KERNEL_FORM_TREE);
	assert_int_equal(kernel_form_of(KERNEL_IN, "LUO", &luo, sizeof(luo)), KERNEL_FORM_STALE);
	assert_int_equal(kernel_form_of(KERNEL_OUT, "LUO", &luo, sizeof(luo) - 1),
			 KERNEL_FORM_BYTES);
}

static void test_names_can_be_shown(void **state)
{
	int root = machine_stateless();
	_cleanup_json_ sd_json_variant *json = NULL;
	_cleanup_free_ char *text = NULL;
	struct kernel_tree tree;

	fake_blob(root, KHO "in/sub_fdts/a\033[2J\377", "x", 1);
	assert_int_equal(kernel_tree_read(root, KERNEL_IN, &tree), 0);
	text = shown(&tree);
	assert_null(strchr(text, '\033'));
	assert_non_null(kernel_tree_find(&tree, "a?[2J?"));
	assert_int_equal(kernel_tree_to_json(&tree, &json), 0);
	kernel_tree_done(&tree);
	fake_root_close(root);
}

static sd_json_variant *blob_at(sd_json_variant *json, size_t i)
{
	return sd_json_variant_by_index(sd_json_variant_by_key(json, "blobs"), i);
}

static void test_json(void **state)
{
	_cleanup_json_ sd_json_variant *json = NULL;
	sd_json_variant *memblock, *area, *node;
	int root = machine_finalize();
	struct kernel_tree tree;

	assert_int_equal(kernel_tree_read(root, KERNEL_OUT, &tree), 0);
	assert_int_equal(kernel_tree_to_json(&tree, &json), 0);
	assert_string_equal(json_string(json, "kernel"), "out");
	assert_int_equal(json_length(json_array(json, "scratch")), 3);
	memblock = blob_at(json, 1);
	assert_string_equal(json_string(memblock, "form"), "tree");
	assert_false(json_boolean(memblock, "stale"));
	area = sd_json_variant_by_index(json_array(memblock, "reservations"), 0);
	assert_string_equal(json_string(area, "name"), "khobuf");
	assert_int_equal(json_unsigned(area, "size"), 4 << 20);
	node = sd_json_variant_by_key(sd_json_variant_by_key(memblock, "tree"), "nodes");
	node = sd_json_variant_by_key(sd_json_variant_by_key(node, "khobuf"), "properties");
	assert_int_equal(json_unsigned(node, "start"), 0x7d800000);
	assert_int_equal(json_unsigned(blob_at(json, 0), "folios"), 3);
	kernel_tree_done(&tree);
	fake_root_close(root);
}

static void test_json_of_structures(void **state)
{
	_cleanup_json_ sd_json_variant *in = NULL, *out = NULL;
	int root = machine_stateless();
	struct kernel_tree tree;

	assert_int_equal(kernel_tree_read(root, KERNEL_IN, &tree), 0);
	assert_int_equal(kernel_tree_to_json(&tree, &in), 0);
	kernel_tree_done(&tree);
	assert_true(json_boolean(blob_at(in, 0), "stale"));
	assert_string_equal(json_string(blob_at(in, 0), "bytes"), "7f454c4602010100");
	assert_string_equal(json_string(blob_at(in, 1), "previousRelease"), "7.1.13-lab");
	assert_int_equal(json_unsigned(blob_at(in, 1), "kexecCount"), 3);
	assert_int_equal(kernel_tree_read(root, KERNEL_OUT, &tree), 0);
	assert_int_equal(kernel_tree_to_json(&tree, &out), 0);
	kernel_tree_done(&tree);
	assert_non_null(strstr(json_string(out, "reason"), "booted by a handover itself"));
	assert_int_equal(json_unsigned(blob_at(out, 0), "liveUpdateNumber"), 2);
	fake_root_close(root);
}

/* From 6.19 on the file does not grow with the outgoing tree. */
static void test_cut_tree(void **state)
{
	static const char *const names[] = {"LUO", NULL};
	_cleanup_json_ sd_json_variant *json = NULL;
	struct kernel_cut cut;
	size_t size;
	_cleanup_free_ uint8_t *blob = sample_root("kho-v4", names, 32, &size);
	struct kernel_blob shown = {.name = (char *)"fdt", .form = KERNEL_FORM_CUT, .bytes = blob};

	assert_int_equal(kernel_cut_parse(blob, size, &cut), -EBADMSG);
	for (shown.size = 40; shown.size < size; shown.size++) {
		assert_int_equal(kernel_form_of(KERNEL_OUT, "fdt", blob, shown.size),
				 KERNEL_FORM_CUT);
		assert_int_equal(kernel_cut_parse(blob, shown.size, &cut), 0);
		assert_int_equal(cut.size, size);
		/* 20 bytes up to the text, 7 of text */
		assert_string_equal(cut.compatible,
				    shown.size < fdt_off_dt_struct(blob) + 27 ? "" : "kho-v4");
	}
	assert_int_equal(kernel_cut_parse(blob, 39, &cut), -EBADMSG);
	shown.size = 100;
	assert_int_equal(kernel_blob_to_json(&shown, &json), 0);
	assert_string_equal(json_string(json, "form"), "cut");
	assert_string_equal(json_string(json, "compatible"), "kho-v4");
	assert_int_equal(json_unsigned(json, "wholeSize"), size);
}

static void test_metadata_is_not_believed(void **state)
{
	struct sample_metadata bad = metadata;
	struct kernel_metadata parsed;

	assert_int_equal(kernel_metadata_parse(&bad, sizeof(bad), &parsed), 0);
	assert_int_equal(kernel_metadata_parse(&bad, sizeof(bad) - 1, &parsed), -EBADMSG);
	memset(bad.previous_release, 'x', sizeof(bad.previous_release));
	assert_int_equal(kernel_metadata_parse(&bad, sizeof(bad), &parsed), -EBADMSG);
	bad = metadata;
	bad.version = 2;
	assert_int_equal(kernel_metadata_parse(&bad, sizeof(bad), &parsed), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finalized),
		cmocka_unit_test(test_not_finalized),
		cmocka_unit_test(test_stateless_in),
		cmocka_unit_test(test_stateless_out),
		cmocka_unit_test(test_bootmem),
		cmocka_unit_test(test_out_of_tree),
		cmocka_unit_test(test_nothing_there),
		cmocka_unit_test(test_stale_tree),
		cmocka_unit_test(test_incoming_luo_of_7_1_is_kept),
		cmocka_unit_test(test_names_can_be_shown),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_of_structures),
		cmocka_unit_test(test_cut_tree),
		cmocka_unit_test(test_metadata_is_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
