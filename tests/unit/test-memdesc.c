/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "kho/core/cleanup.h"
#include "kho/core/memdesc.h"

static void test_encoding_is_the_kernels(void **state)
{
	assert_int_equal(memdesc_encode(MEMDESC_FILE, 0, false, 0), 0x2);
	assert_int_equal(memdesc_encode(MEMDESC_FILE, 0, false, 9), 0x9002);
	assert_int_equal(memdesc_encode(MEMDESC_MISC, MEMDESC_VMALLOC, false, 0), 0x30);
	assert_int_equal(memdesc_encode(MEMDESC_MISC, MEMDESC_BRD, true, 63), 0x3f880);
	assert_int_equal(memdesc_encode(MEMDESC_MANAGED, 0, true, 0), 0x80d);
}

static void test_fields_come_back(void **state)
{
	uint32_t memdesc = memdesc_encode(MEMDESC_MISC, MEMDESC_GUARD, true, 18);

	assert_int_equal(memdesc_type(memdesc), MEMDESC_MISC);
	assert_int_equal(memdesc_subtype(memdesc), MEMDESC_GUARD);
	assert_true(memdesc_mappable(memdesc));
	assert_int_equal(memdesc_order(memdesc), 18);
	assert_false(memdesc_mappable(memdesc_encode(MEMDESC_MISC, MEMDESC_GUARD, false, 63)));
}

static void test_encode_cuts_what_does_not_fit(void **state)
{
	assert_int_equal(memdesc_encode(MEMDESC_FILE, MEMDESC_VMALLOC, false, 0), 0x2);
	assert_int_equal(memdesc_encode(MEMDESC_FILE, 0, false, 64), 0x2);
	assert_int_equal(memdesc_encode(16 + MEMDESC_FILE, 0, false, 0), 0x2);
	assert_int_equal(memdesc_encode(MEMDESC_MISC, 128 + MEMDESC_BRD, false, 0), 0x80);
}

static void test_spelling(void **state)
{
	static const struct {
		uint32_t memdesc;
		const char *text;
	} cases[] = {
		{0x0, "misc"},
		{0x1, "buddy"},
		{0x2, "file"},
		{0x3, "anon"},
		{0x4, "ksm"},
		{0x5, "slab"},
		{0x6, "bump"},
		{0x7, "movable"},
		{0x8, "ptdesc"},
		{0x9, "hwpoison"},
		{0xa, "percpu"},
		{0xb, "acctmem"},
		{0xc, "zpdesc"},
		{0xd, "managed"},
		{0x10, "misc/zero-page"},
		{0x20, "misc/unknown"},
		{0x30, "misc/vmalloc"},
		{0x40, "misc/guard"},
		{0x50, "misc/offline"},
		{0x60, "misc/kmalloc-large"},
		{0x70, "misc/exact"},
		{0x80, "misc/brd"},
		{0x9002, "file,order=9"},
		{0x830, "misc/vmalloc,mappable"},
		{0x3f860, "misc/kmalloc-large,mappable,order=63"},
		{0xe, "0xe"},
		{0x90, "0x90"},
		{0x12, "0x12"},
		{0x40002, "0x40002"},
		{0xffffffff, "0xffffffff"},
	};
	char buf[MEMDESC_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint32_t memdesc = ~cases[i].memdesc;

		assert_string_equal(memdesc_format(cases[i].memdesc, buf), cases[i].text);
		assert_int_equal(memdesc_parse(cases[i].text, &memdesc), 0);
		assert_int_equal(memdesc, cases[i].memdesc);
	}
}

static void test_every_value_has_one_text(void **state)
{
	char buf[MEMDESC_TEXT_MAX];

	/* All of the known bits, and one above them. */
	for (uint32_t memdesc = 0; memdesc < UINT32_C(1) << 19; memdesc++) {
		uint32_t back = ~memdesc;

		assert_ptr_equal(memdesc_format(memdesc, buf), buf);
		if (memdesc_parse(buf, &back) < 0 || back != memdesc)
			fail_msg("%#x is spelled %s, read as %#x", memdesc, buf, back);
	}
}

static void test_order_and_mappable_in_either_order(void **state)
{
	uint32_t memdesc = 0;

	assert_int_equal(memdesc_parse("file,order=9,mappable", &memdesc), 0);
	assert_int_equal(memdesc, 0x9802);
}

static void test_nonsense_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"File",
		"file ",
		" file",
		"file/",
		"file/vmalloc",
		"misc/",
		"misc/vmalloc/",
		"misc/nothing",
		"file,",
		",file",
		"file,,mappable",
		"file,order",
		"file,order=",
		"file,order=64",
		"file,order=-1",
		"file,order=+1",
		"file,order= 1",
		"file,order=1x",
		"file,order=1,order=2",
		"file,order=99999999999999999999",
		"file,mappable,mappable",
		"file,mappablE",
		"0x",
		"0x-1",
		"0xg",
		"0x100000000",
		"0x2 ",
		"2",
		"misc/kmalloc-large,mappable,order=63,misc/kmalloc-large,mappable,order=63",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		uint32_t memdesc = 0xabcd;

		if (memdesc_parse(texts[i], &memdesc) != -EINVAL)
			fail_msg("\"%s\" was taken as %#x", texts[i], memdesc);
		assert_int_equal(memdesc, 0xabcd);
	}
}

static void test_only_files_are_handed_over(void **state)
{
	for (uint32_t memdesc = 0; memdesc < UINT32_C(1) << 12; memdesc++) {
		const char *advice = memdesc_handover_advice(memdesc);

		if (memdesc_type(memdesc) == MEMDESC_FILE && memdesc_subtype(memdesc) == 0)
			assert_null(advice);
		else if (!advice || advice[strlen(advice) - 1] != '.')
			fail_msg("no sentence for %#x", memdesc);
	}
	assert_null(memdesc_handover_advice(memdesc_encode(MEMDESC_FILE, 0, true, 63)));
	assert_non_null(memdesc_handover_advice(0x80000002));
}

static void assert_advises(uint32_t memdesc, const char *words)
{
	const char *advice = memdesc_handover_advice(memdesc);

	assert_non_null(advice);
	if (!strstr(advice, words))
		fail_msg("\"%s\" does not speak of %s", advice, words);
}

static void test_advice_names_the_way_out(void **state)
{
	assert_advises(MEMDESC_ANON, "kho_claim_or_create(3)");
	assert_advises(MEMDESC_KSM, "memfd_create(2)");
	assert_advises(MEMDESC_MISC, "Bare pages");
	assert_advises(memdesc_encode(MEMDESC_MISC, MEMDESC_UNKNOWN, false, 0), "Bare pages");
	assert_advises(memdesc_encode(MEMDESC_MISC, MEMDESC_ZERO_PAGE, false, 0), "zero page");
	assert_advises(memdesc_encode(MEMDESC_MISC, MEMDESC_VMALLOC, false, 0), "driver");
	assert_advises(memdesc_encode(MEMDESC_MISC, MEMDESC_BRD, false, 0), "RAM disk");
	assert_advises(memdesc_encode(MEMDESC_MISC, MEMDESC_OFFLINE, false, 0), "leave them out");
	assert_advises(MEMDESC_SLAB, "kernel's own");
	assert_advises(MEMDESC_PTDESC, "kernel's own");
	assert_advises(MEMDESC_PERCPU, "kernel's own");
	assert_advises(MEMDESC_BUDDY, "kernel's own");
	assert_advises(MEMDESC_HWPOISON, "broken");
	assert_advises(0xf, "No such type");
}

static void test_agreement(void **state)
{
	uint32_t file = MEMDESC_FILE;
	uint32_t vmalloc = memdesc_encode(MEMDESC_MISC, MEMDESC_VMALLOC, false, 0);

	assert_true(memdesc_agree(file, memdesc_encode(MEMDESC_FILE, 0, true, 9)));
	assert_true(memdesc_agree(memdesc_encode(MEMDESC_FILE, 0, false, 4), file));
	assert_true(memdesc_agree(vmalloc, vmalloc | 3 << MEMDESC_ORDER_SHIFT));
	assert_false(memdesc_agree(file, MEMDESC_ANON));
	assert_false(memdesc_agree(file, vmalloc));
	assert_false(memdesc_agree(vmalloc, MEMDESC_MISC));
	assert_false(memdesc_agree(vmalloc, memdesc_encode(MEMDESC_MISC, MEMDESC_BRD, false, 0)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encoding_is_the_kernels),
		cmocka_unit_test(test_fields_come_back),
		cmocka_unit_test(test_encode_cuts_what_does_not_fit),
		cmocka_unit_test(test_spelling),
		cmocka_unit_test(test_every_value_has_one_text),
		cmocka_unit_test(test_order_and_mappable_in_either_order),
		cmocka_unit_test(test_nonsense_is_refused),
		cmocka_unit_test(test_only_files_are_handed_over),
		cmocka_unit_test(test_advice_names_the_way_out),
		cmocka_unit_test(test_agreement),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
