/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <xxhash.h>
#include <cmocka.h>

#include "kho/core/cleanup.h"
#include "kho/core/slots.h"
#include "kho/core/tree.h"

#define SMALL 512
#define SECOND (SMALL / 2)

static void write_text(void *memory, uint64_t generation, const char *text)
{
	assert_int_equal(slots_write(memory, SMALL, generation, text, strlen(text)), 0);
}

static void assert_holds(const void *memory, uint64_t generation, const char *text)
{
	_cleanup_free_ void *blob = NULL;
	uint64_t actual = 0;
	size_t size = 0;

	assert_int_equal(slots_read(memory, SMALL, &blob, &size, &actual), 0);
	assert_int_equal(actual, generation);
	assert_int_equal(size, strlen(text));
	assert_memory_equal(blob, text, size);
}

static void assert_empty(const void *memory)
{
	void *blob = NULL;
	size_t size;

	assert_int_equal(slots_read(memory, SMALL, &blob, &size, NULL), -ENODATA);
	assert_null(blob);
}

static void test_fresh_memory_holds_nothing(void **state)
{
	char memory[SMALL] = {0};

	assert_empty(memory);
	memset(memory, 0xff, sizeof(memory));
	assert_empty(memory);
}

static void test_newest_counts(void **state)
{
	char memory[SMALL] = {0};

	for (uint64_t generation = 1; generation <= 9; generation++) {
		char text[] = "generation 0";

		text[strlen(text) - 1] += (char)generation;
		write_text(memory, generation, text);
		assert_holds(memory, generation, text);
	}
}

static void test_older_is_never_written_over_newer(void **state)
{
	char memory[SMALL] = {0};

	write_text(memory, 5, "five");
	write_text(memory, 7, "seven");
	assert_int_equal(slots_write(memory, SMALL, 7, "x", 1), -ESTALE);
	assert_int_equal(slots_write(memory, SMALL, 6, "x", 1), -ESTALE);
	assert_holds(memory, 7, "seven");
	write_text(memory, UINT64_MAX, "last");
	assert_holds(memory, UINT64_MAX, "last");
}

static void test_layout(void **state)
{
	static const unsigned char generation[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	static const unsigned char length[8] = {0, 0, 0, 0, 0, 0, 0, 3};
	static const unsigned char zero[32] = {0};
	char memory[SMALL] = {0};
	XXH64_canonical_t checksum;

	write_text(memory, 0x0102030405060708, "abc");
	assert_memory_equal(memory, "KHOslot1", 8);
	assert_memory_equal(memory + 8, generation, 8);
	assert_memory_equal(memory + 16, length, 8);
	assert_memory_equal(memory + 24, zero, 32);
	XXH64_canonicalFromHash(&checksum, XXH3_64bits_withSeed("abc", 3, XXH3_64bits(memory, 56)));
	assert_memory_equal(memory + 56, checksum.digest, 8);
	assert_memory_equal(memory + 64, "abc", 3);
	write_text(memory, 0x0102030405060709, "def");
	assert_memory_equal(memory + SECOND, "KHOslot1", 8);
	assert_memory_equal(memory + SECOND + 64, "def", 3);
	assert_memory_equal(memory + 64, "abc", 3);
}

/* Every single bit of the newer slot counts: its header's, its checksum's, its payload's. */
static void test_torn_newer_slot_yields_older(void **state)
{
	char memory[SMALL] = {0};

	write_text(memory, 1, "older");
	write_text(memory, 2, "newer");
	for (size_t bit = 0; bit < 8 * (SLOT_HEADER_SIZE + strlen("newer")); bit++) {
		char *byte = &memory[SECOND + bit / 8];

		*byte ^= (char)(1 << bit % 8);
		assert_holds(memory, 1, "older");
		*byte ^= (char)(1 << bit % 8);
	}
	assert_holds(memory, 2, "newer");
}

/* A writer that dies leaves some bytes of the new slot written, in its order: payload, header. */
static void test_killed_writer(void **state)
{
	char before[SMALL] = {0}, after[SMALL];
	const size_t used = SLOT_HEADER_SIZE + 5;

	write_text(before, 1, "first");
	write_text(before, 2, "2nd..");
	memcpy(after, before, SMALL);
	write_text(after, 3, "third");
	for (size_t n = 0; n <= used; n++) {
		char memory[SMALL];

		memcpy(memory, before, SMALL);
		for (size_t i = 0; i < n; i++) {
			size_t at = (SLOT_HEADER_SIZE + i) % used;

			memory[at] = after[at];
		}
		if (n < used && memcmp(memory, after, SMALL) != 0)
			assert_holds(memory, 2, "2nd..");
		else
			assert_holds(memory, 3, "third");
	}
}

static void test_writer_goes_on_after_a_torn_slot(void **state)
{
	char memory[SMALL] = {0};

	write_text(memory, 1, "older");
	write_text(memory, 2, "newer");
	memory[SECOND + SLOT_HEADER_SIZE] ^= 1;
	/* The valid one must not be the one that is written. */
	write_text(memory, 2, "again");
	assert_holds(memory, 2, "again");
	memory[SECOND + SLOT_HEADER_SIZE] ^= 1;
	assert_holds(memory, 1, "older");
	memory[SLOT_HEADER_SIZE] ^= 1;
	assert_empty(memory);
	write_text(memory, 1, "fresh");
	assert_holds(memory, 1, "fresh");
}

static void test_length_beyond_the_slot(void **state)
{
	char memory[SMALL] = {0};

	write_text(memory, 1, "text");
	memset(memory + 16, 0xff, 8);
	assert_empty(memory);
}

static void test_other_magic(void **state)
{
	char memory[SMALL] = {0};
	XXH64_canonical_t checksum;

	write_text(memory, 1, "abc");
	memory[7] = '2';
	XXH64_canonicalFromHash(&checksum, XXH3_64bits_withSeed("abc", 3, XXH3_64bits(memory, 56)));
	memcpy(memory + 56, checksum.digest, 8);
	assert_empty(memory);
}

static void test_sizes(void **state)
{
	static const size_t bad[] = {0, 1, 64, 112, 127, 129, SMALL + 8};
	const size_t capacity = SMALL / 2 - SLOT_HEADER_SIZE;
	char memory[SMALL + 8] = {0}, payload[SMALL] = {0};
	void *blob = NULL;
	size_t size;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(slots_write(memory, bad[i], 1, "", 0), -EINVAL);
		assert_int_equal(slots_read(memory, bad[i], &blob, &size, NULL), -EINVAL);
	}
	assert_int_equal(slots_write(memory, SMALL, 1, payload, capacity + 1), -ENOSPC);
	assert_empty(memory);
	assert_int_equal(slots_write(memory, SMALL, 1, payload, capacity), 0);
	assert_int_equal(slots_write(memory, SMALL, 2, payload, capacity), 0);
	assert_int_equal(slots_read(memory, SMALL, &blob, &size, NULL), 0);
	assert_int_equal(size, capacity);
	free(blob);
	write_text(memory, 3, "");
	assert_holds(memory, 3, "");
}

static void test_each_slot_takes_the_largest_tree(void **state)
{
	_cleanup_free_ char *memory = calloc(1, SLOTS_SIZE);
	_cleanup_free_ char *payload = malloc(HANDOVER_SIZE_MAX);
	_cleanup_free_ void *blob = NULL;
	size_t size = 0;

	assert_true(memory && payload);
	memset(payload, 'x', HANDOVER_SIZE_MAX);
	assert_int_equal(slots_write(memory, SLOTS_SIZE, 1, payload, HANDOVER_SIZE_MAX), 0);
	assert_int_equal(slots_write(memory, SLOTS_SIZE, 2, payload, HANDOVER_SIZE_MAX), 0);
	assert_int_equal(slots_read(memory, SLOTS_SIZE, &blob, &size, NULL), 0);
	assert_int_equal(size, HANDOVER_SIZE_MAX);
	assert_memory_equal(blob, payload, size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fresh_memory_holds_nothing),
		cmocka_unit_test(test_newest_counts),
		cmocka_unit_test(test_older_is_never_written_over_newer),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_torn_newer_slot_yields_older),
		cmocka_unit_test(test_killed_writer),
		cmocka_unit_test(test_writer_goes_on_after_a_torn_slot),
		cmocka_unit_test(test_length_beyond_the_slot),
		cmocka_unit_test(test_other_magic),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_each_slot_takes_the_largest_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
