/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/abi-layouts.h"
#include "kho/kernel/image-btf.h"
#include "tests/unit/btf-sample.h"

/* What the compiler says of them, where it can (-gbtf), is held against what it does. */
struct kho_vmalloc {
	union {
		uint64_t phys;
		struct other *ptr;
	} first;
	const unsigned int total_pages;
	unsigned short flags;
	unsigned short order;
};

struct memfd_luo_ser {
	uint64_t pos;
	uint32_t seals;
	uint64_t nr_folios;
	struct kho_vmalloc folios;
} __attribute__((packed));

struct memfd_luo_folio_ser {
	uint64_t pfn : 52;
	uint64_t flags : 12;
	uint64_t index;
} __attribute__((packed));

struct luo_file_ser {
	char compatible[48];
	struct {
		uint64_t files;
		uint64_t count;
	} sets[3];
};

struct sample {
	struct kho_vmalloc vmalloc;
	struct memfd_luo_ser memfd;
	struct memfd_luo_folio_ser folio;
	struct luo_file_ser file;
};

/* Keeps the compiler from leaving the types out. */
extern const struct sample the_sample;
const struct sample the_sample = {};

static const struct layout *find(const struct abi_layouts *layouts, const char *name)
{
	for (size_t i = 0; abi_structure_name(i); i++)
		if (strcmp(abi_structure_name(i), name) == 0)
			return &layouts->of[i];
	fail_msg("no %s", name);
	return NULL;
}

static void assert_field(const struct layout *layout, size_t i, const char *name,
			 enum layout_kind kind, uint64_t at, uint64_t width)
{
	assert_true(i < layout->n_fields);
	assert_string_equal(layout->fields[i].name, name);
	assert_int_equal(layout->fields[i].kind, kind);
	assert_int_equal(layout->fields[i].at, at);
	assert_int_equal(layout->fields[i].width, width);
}

/* What comes out of it as a stream, in pieces of that many bytes at most. */
static void take(struct abi_layouts *ret, const uint8_t *data, size_t size, size_t piece)
{
	struct image_btf btf = {};
	size_t beyond = BTF_HEADER_MIN;

	assert_true(size >= beyond);
	for (size_t at = 0; at + beyond < size; at += piece) {
		size_t end = at + piece < size - beyond ? at + piece : size - beyond;

		assert_int_equal(image_btf_add(&btf, data + at, data + end), 0);
	}
	*ret = btf.layouts;
	btf.layouts = (struct abi_layouts){};
	image_btf_done(&btf);
}

static void read_self(struct blob *ret)
{
	_cleanup_close_ int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	uint8_t buf[65536];
	ssize_t n;

	assert_true(fd >= 0);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		blob_add(ret, buf, (size_t)n);
	assert_int_equal(n, 0);
}

static void test_compiler(void **state)
{
	_cleanup_(abi_layouts_done) struct abi_layouts layouts = {};
	_cleanup_blob_ struct blob self = {};
	const struct layout *l;

	read_self(&self);
	take(&layouts, self.data, self.size, 1000);
	l = find(&layouts, "struct memfd_luo_ser");
	if (BTF_OF_COMPILER && l->n_fields == 0)
		fail_msg("the compiler has written no BTF, or it is not understood");
	if (l->n_fields == 0)
		skip();
	assert_int_equal(l->size, sizeof(struct memfd_luo_ser));
	assert_int_equal(l->n_fields, 8);
	assert_field(l, 2, "nr_folios", LAYOUT_NUMBER,
		     8 * offsetof(struct memfd_luo_ser, nr_folios), 64);
	assert_field(l, 3, "folios.first.phys", LAYOUT_NUMBER,
		     8 * offsetof(struct memfd_luo_ser, folios.first), 64);
	assert_field(l, 4, "folios.first.ptr", LAYOUT_POINTER,
		     8 * offsetof(struct memfd_luo_ser, folios.first), 64);
	assert_field(l, 5, "folios.total_pages", LAYOUT_NUMBER,
		     8 * offsetof(struct memfd_luo_ser, folios.total_pages), 32);
	l = find(&layouts, "struct memfd_luo_folio_ser");
	assert_int_equal(l->n_fields, 3);
	assert_field(l, 0, "pfn", LAYOUT_NUMBER, 0, 52);
	assert_field(l, 1, "flags", LAYOUT_NUMBER, 52, 12);
	l = find(&layouts, "struct luo_file_ser");
	assert_field(l, 0, "compatible[48]", LAYOUT_NUMBER, 0, 48 * 8);
	assert_field(l, 2, "sets[3].count", LAYOUT_NUMBER,
		     8 * offsetof(struct luo_file_ser, sets[0].count), 64);
	assert_int_equal(find(&layouts, "struct luo_ser")->n_fields, 0);
}

/* Of a kernel that has some, and not of this program: they are much larger. */
static void test_running_kernel(void **state)
{
	_cleanup_fclose_ FILE *f = fopen("/sys/kernel/btf/vmlinux", "re");
	_cleanup_(layout_done) struct layout layout = {};
	_cleanup_(btf_done) struct btf btf = {};
	_cleanup_blob_ struct blob blob = {};
	uint8_t buf[65536];
	uint32_t id = 1;
	size_t n;

	if (!f)
		skip();
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		blob_add(&blob, buf, n);
	assert_int_equal(btf_size(blob.data), blob.size);
	assert_int_equal(btf_open(blob.data, blob.size, &btf), 0);
	while (id < btf.n_types && (btf_type(&btf, id).kind != BTF_STRUCT ||
				    strcmp(btf_type(&btf, id).name, "list_head") != 0))
		id++;
	assert_int_equal(layout_read(&btf, id, &layout), 0);
	assert_int_equal(layout.size, 16);
	assert_int_equal(layout.n_fields, 2);
	assert_field(&layout, 1, "prev", LAYOUT_POINTER, 64, 64);
}

/* A structure of which every part can be made otherwise. */
enum change {
	SAME,
	MEMBER_ELSEWHERE,
	MEMBER_WIDER,
	MEMBER_RENAMED,
	MEMBER_MORE,
	POINTER,
	LONGER_ARRAY,
	INNER,
	CONSTANT,
	TAIL,
};

static void make(struct blob *to, enum change change)
{
	_cleanup_btf_sample_ struct btf_sample s = {};
	uint32_t u64 = btf_sample_number(&s, 8), u32 = btf_sample_number(&s, 4), set, array;
	uint32_t pointer = btf_sample_reference(&s, BTF_PTR, 0);

	u64 = btf_sample_reference(&s, BTF_CONST, btf_sample_reference(&s, BTF_TYPEDEF, u64));
	set = btf_sample_begin(&s, BTF_STRUCT, "luo_file_set_ser", 16, 2);
	btf_sample_member(&s, change == INNER ? "blocks" : "files", u64, 0);
	btf_sample_member(&s, "count", u64, 64);
	array = btf_sample_array(&s, u32, change == LONGER_ARRAY ? 17 : 16);
	btf_sample_begin(&s, BTF_STRUCT, "luo_session_ser", change == TAIL ? 104 : 96,
			 change == MEMBER_MORE ? 5 : 4);
	btf_sample_member(&s, "name", array, 0);
	btf_sample_member(&s, change == MEMBER_RENAMED ? "flags" : "seals",
			  change == MEMBER_WIDER ? u64 : u32, 64 * 8);
	btf_sample_member(&s, "data", change == POINTER ? pointer : u64,
			  (change == MEMBER_ELSEWHERE ? 80 : 72) * 8);
	btf_sample_member(&s, "set", set, 80 * 8);
	if (change == MEMBER_MORE)
		btf_sample_member(&s, "extra", u32, 96 * 8);
	btf_sample_begin(&s, BTF_ENUM, "kho_radix_consts", 4, 2);
	btf_sample_constant(&s, "KHO_RADIX_KEY_WIDTH", change == CONSTANT ? 52 : 53);
	btf_sample_constant(&s, "KHO_TREE_MAX_DEPTH", 6);
	btf_sample_finish(&s, NULL, 0, to);
}

/* All that differs between two, as one string. */
static char *differences(const struct abi_layouts *here, const struct abi_layouts *there)
{
	char *all = strdup("");

	for (size_t i = 0; i < ABI_STRUCTURES; i++) {
		_cleanup_free_ char *one = NULL, *before = all;

		assert_int_equal(layout_difference(&here->of[i], &there->of[i], &one), 0);
		assert_true(asprintf(&all, "%s%s", before, one ?: "") >= 0);
	}
	return all;
}

static void test_difference(void **state)
{
	static const struct {
		enum change change;
		const char *text;
	} cases[] = {
		{SAME, ""},
		{MEMBER_ELSEWHERE, "data is at byte 72 here, at 80 there"},
		{MEMBER_WIDER, "seals has 4 bytes here, 8 there"},
		{MEMBER_RENAMED, "at byte 64 it has seals here, flags there"},
		{MEMBER_MORE, "extra is there alone"},
		{POINTER, "data is a pointer on one side alone"},
		{LONGER_ARRAY, "at byte 0 it has name[16] here, name[17] there"},
		{INNER, "at byte 80 it has set.files here, set.blocks there"
			"at byte 0 it has files here, blocks there"},
		{CONSTANT, "KHO_RADIX_KEY_WIDTH is 53 here, 52 there"},
		{TAIL, "it has 96 bytes here, 104 there"},
	};
	_cleanup_(abi_layouts_done) struct abi_layouts here = {};
	_cleanup_blob_ struct blob blob = {};

	make(&blob, SAME);
	assert_int_equal(abi_layouts_add(&here, blob.data, blob.size), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(abi_layouts_done) struct abi_layouts there = {};
		_cleanup_blob_ struct blob other = {};
		_cleanup_free_ char *text = NULL, *back = NULL;

		make(&other, cases[i].change);
		assert_int_equal(abi_layouts_add(&there, other.data, other.size), 0);
		text = differences(&here, &there);
		assert_string_equal(text, cases[i].text);
		back = differences(&there, &here);
		assert_int_equal(*back == '\0', cases[i].change == SAME);
	}
}

/* Of a kind of type that comes later, the size is all that has to be known. */
static void test_unknown_kind(void **state)
{
	static const uint8_t kinds[26][4] = {[25] = {20, 0}};
	_cleanup_(abi_layouts_done) struct abi_layouts layouts = {};
	_cleanup_btf_sample_ struct btf_sample s = {};
	_cleanup_blob_ struct blob with = {}, without = {};
	struct btf btf;

	btf_sample_unknown(&s, 25, 20);
	btf_sample_begin(&s, BTF_STRUCT, "luo_ser", 8, 1);
	btf_sample_member(&s, "number", 3, 0);
	btf_sample_number(&s, 8);
	btf_sample_finish(&s, NULL, 0, &without);
	assert_int_equal(btf_open(without.data, without.size, &btf), -ENOTSUP);
	btf_sample_finish(&s, kinds, ARRAY_SIZE(kinds), &with);
	assert_int_equal(abi_layouts_add(&layouts, with.data, with.size), 0);
	assert_field(find(&layouts, "struct luo_ser"), 0, "number", LAYOUT_NUMBER, 0, 64);
}

/* The kernel's is among others, and wherever in the stream. */
static void test_stream(void **state)
{
	static const char *const members[] = {"one", "two"};
	_cleanup_blob_ struct blob stream = {};

	blob_add(&stream, BTF_MARK, BTF_MARK_SIZE);
	blob_fill(&stream, 0x77, 100);
	sample_btf(&stream, "of_a_program", members, 2);
	blob_fill(&stream, 0x9f, 7);
	make(&stream, SAME);
	sample_btf(&stream, "memfd_luo_ser", members, 2);
	blob_fill(&stream, 0, BTF_HEADER_MIN);
	for (size_t piece = 1; piece < 300; piece += 7) {
		_cleanup_(abi_layouts_done) struct abi_layouts layouts = {};

		take(&layouts, stream.data, stream.size, piece);
		assert_int_equal(find(&layouts, "struct luo_session_ser")->size, 96);
		assert_int_equal(find(&layouts, "struct luo_session_ser")->n_fields, 5);
		assert_int_equal(find(&layouts, "struct memfd_luo_ser")->n_fields, 2);
	}
}

/* A structure that contains itself, many times over. */
static void test_circles(void **state)
{
	_cleanup_btf_sample_ struct btf_sample s = {};
	_cleanup_(layout_done) struct layout layout = {};
	_cleanup_(btf_done) struct btf btf = {};
	_cleanup_blob_ struct blob blob = {};

	btf_sample_begin(&s, BTF_STRUCT, "luo_ser", 8, 1000);
	for (int i = 0; i < 1000; i++)
		btf_sample_member(&s, "", 1, 0);
	btf_sample_reference(&s, BTF_TYPEDEF, 2);
	btf_sample_begin(&s, BTF_STRUCT, "luo_file_ser", 8, 1);
	btf_sample_member(&s, "data", 2, 0);
	btf_sample_begin(&s, BTF_STRUCT, "luo_flb_ser", 8, 1);
	btf_sample_member(&s, "nothing", 77, 0);
	btf_sample_finish(&s, NULL, 0, &blob);
	assert_int_equal(btf_open(blob.data, blob.size, &btf), 0);
	assert_int_equal(layout_read(&btf, 1, &layout), -E2BIG);
	assert_int_equal(layout_read(&btf, 3, &layout), -E2BIG);
	assert_int_equal(layout_read(&btf, 4, &layout), -EBADMSG);
	assert_int_equal(layout_read(&btf, 77, &layout), -EBADMSG);
}

static void try_all(const struct blob *blob)
{
	_cleanup_(btf_done) struct btf btf = {};

	if (btf_open(blob->data, blob->size, &btf) < 0)
		return;
	for (uint32_t id = 0; id < btf.n_types + 1; id++) {
		_cleanup_(layout_done) struct layout layout = {};

		layout_read(&btf, id, &layout);
	}
}

/* Nothing in it is believed: what the sanitizers find is what this is about. */
static void test_damage(void **state)
{
	_cleanup_blob_ struct blob whole = {};

	make(&whole, SAME);
	for (size_t size = 0; size < whole.size; size++) {
		_cleanup_blob_ struct blob cut = {};
		struct btf btf;

		blob_add(&cut, whole.data, size);
		assert_int_equal(btf_open(cut.data, cut.size, &btf), -EBADMSG);
	}
	for (size_t bit = 0; bit < whole.size * 8; bit++) {
		whole.data[bit / 8] ^= 1u << bit % 8;
		try_all(&whole);
		whole.data[bit / 8] ^= 1u << bit % 8;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compiler),   cmocka_unit_test(test_running_kernel),
		cmocka_unit_test(test_difference), cmocka_unit_test(test_unknown_kind),
		cmocka_unit_test(test_stream),	   cmocka_unit_test(test_circles),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
