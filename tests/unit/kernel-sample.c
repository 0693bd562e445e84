/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/kernel-sample.h"

#include <libfdt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define ROOM 4096

static void *begin(const char *compatible)
{
	void *fdt = calloc(1, ROOM);

	assert_non_null(fdt);
	assert_int_equal(fdt_create(fdt, ROOM), 0);
	assert_int_equal(fdt_finish_reservemap(fdt), 0);
	assert_int_equal(fdt_begin_node(fdt, ""), 0);
	assert_int_equal(fdt_property_string(fdt, "compatible", compatible), 0);
	return fdt;
}

static void *end(void *fdt, size_t *ret_size)
{
	assert_int_equal(fdt_end_node(fdt), 0);
	assert_int_equal(fdt_finish(fdt), 0);
	*ret_size = fdt_totalsize(fdt);
	return fdt;
}

static void put(void *fdt, const char *name, uint64_t value, int size)
{
	uint32_t narrow = (uint32_t)value;

	assert_int_equal(fdt_property(fdt, name, size == 4 ? (void *)&narrow : &value, size), 0);
}

void *sample_root(const char *compatible, const char *const *names, uint64_t blob_size,
		  size_t *ret_size)
{
	void *fdt = begin(compatible);
	uint64_t address = 0x1000;

	put(fdt, "preserved-memory-map", 0x33e900004, 8);
	for (; *names; names++, address += 0x1000) {
		assert_int_equal(fdt_begin_node(fdt, *names), 0);
		put(fdt, blob_size ? "preserved-data" : "fdt", address, 8);
		if (blob_size)
			put(fdt, "blob-size", blob_size, 8);
		assert_int_equal(fdt_end_node(fdt), 0);
	}
	return end(fdt, ret_size);
}

void *sample_memblock(size_t *ret_size)
{
	void *fdt = begin("memblock-v1");

	assert_int_equal(fdt_begin_node(fdt, "khobuf"), 0);
	assert_int_equal(fdt_property_string(fdt, "compatible", "reserve-mem-v1"), 0);
	put(fdt, "start", 0x7d800000, 8);
	put(fdt, "size", 0x400000, 8);
	assert_int_equal(fdt_end_node(fdt), 0);
	return end(fdt, ret_size);
}

void *sample_test(size_t *ret_size)
{
	void *fdt = begin("kho-test-v1");

	put(fdt, "magic", 0x4b484f21, 4);
	assert_int_equal(fdt_begin_node(fdt, "data"), 0);
	put(fdt, "nr_folios", 3, 4);
	put(fdt, "csum", 0xb2ac0c00, 4);
	assert_int_equal(fdt_end_node(fdt), 0);
	return end(fdt, ret_size);
}
