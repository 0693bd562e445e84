/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "kho/core/slots.h"
#include "tests/unit/tree-sample.h"

/* This is the format: a change here is a change of kho-tree(5). */
static const char sample_source[] =
	"/dts-v1/;\n"
	"\n"
	"/ {\n"
	"\tcompatible = \"kho-tools,handover-v1\";\n"
	"\tgeneration = <0x05 0x06>;\n"
	"\tstate = \"frozen\";\n"
	"\tnext-region-id = <0x12>;\n"
	"\tupdate-id = \"0123456789abcdef\";\n"
	"\tboot-id = \"01234567-89ab-cdef-0123-456789abcdef\";\n"
	"\tkexec-count = <0x03>;\n"
	"\trelease = \"7.3.4-lab\";\n"
	"\tnext-release = \"7.3.4-next\";\n"
	"\timage = \"/boot/vmlinuz-7.3.4-next\";\n"
	"\tforced;\n"
	"\ttransport = \"copy\";\n"
	"\tspool = \"/var/lib/kho/spool\";\n"
	"\tcopy-size = <0x08 0x09>;\n"
	"\tcopy-usec-estimated = <0x00 0x3e8>;\n"
	"\tcopy-usec = <0x00 0x3e9>;\n"
	"\tkept-spool = \"/srv/spool\";\n"
	"\tkept-update = \"fedcba9876543210\";\n"
	"\tresult = \"incomplete\";\n"
	"\tproblems = \"first\", \"second 2\";\n"
	"\n"
	"\ttimeline {\n"
	"\t\tprepare = <0x07 0x00>;\n"
	"\t\tprepared = <0x07 0x01>;\n"
	"\t\tstaged = <0x07 0x02>;\n"
	"\t\tfreeze = <0x07 0x03>;\n"
	"\t\tfrozen = <0x07 0x04>;\n"
	"\t\tcommit = <0x07 0x05>;\n"
	"\t\tkernel-start = <0x07 0x06>;\n"
	"\t\tdaemon-start = <0x07 0x07>;\n"
	"\t\trestored = <0x07 0x08>;\n"
	"\t\tfirst-claim = <0x07 0x09>;\n"
	"\t};\n"
	"\n"
	"\tregions {\n"
	"\n"
	"\t\towner@0 {\n"
	"\t\t\towner = \"cache.service\";\n"
	"\n"
	"\t\t\tregion@2 {\n"
	"\t\t\t\tid = <0x02>;\n"
	"\t\t\t\tregion-name = \"\\\"index\\\" \\\\ ö\";\n"
	"\t\t\t\tsize = <0x00 0x00>;\n"
	"\t\t\t\tmemdesc = <0x02>;\n"
	"\t\t\t\tcheck = \"lost\";\n"
	"\t\t\t\treason = \"token 3 of session 0: no such file\";\n"
	"\t\t\t};\n"
	"\n"
	"\t\t\tregion@1 {\n"
	"\t\t\t\tid = <0x01>;\n"
	"\t\t\t\tregion-name = \"items\";\n"
	"\t\t\t\tsize = <0x00 0x4000000>;\n"
	"\t\t\t\tmemdesc = <0x9002>;\n"
	"\t\t\t\tcheck = \"verified\";\n"
	"\t\t\t\trequired;\n"
	"\t\t\t\tclaimed;\n"
	"\t\t\t\tseals = <0x06>;\n"
	"\t\t\t\tposition = <0x01 0x02>;\n"
	"\t\t\t\tmode = <0x180>;\n"
	"\t\t\t\ttransport = \"luo\";\n"
	"\t\t\t\tsession = <0x01>;\n"
	"\t\t\t\ttoken = <0x03 0x04>;\n"
	"\t\t\t\txxh3-128 = <0xf0f1f2f3 0xf4f5f6f7 0xf8f9fafb 0xfcfdfeff>;\n"
	"\t\t\t};\n"
	"\t\t};\n"
	"\n"
	"\t\towner@1 {\n"
	"\t\t\towner = \"uid:0\";\n"
	"\n"
	"\t\t\tregion@3 {\n"
	"\t\t\t\tid = <0x03>;\n"
	"\t\t\t\tregion-name = \"blob\";\n"
	"\t\t\t\tsize = <0x00 0x05>;\n"
	"\t\t\t\tmemdesc = <0x02>;\n"
	"\t\t\t\tcheck = \"new\";\n"
	"\t\t\t\tpage-size = <0x00 0x200000>;\n"
	"\t\t\t\tkept;\n"
	"\t\t\t};\n"
	"\t\t};\n"
	"\t};\n"
	"};\n";

static void test_format(void **state)
{
	_cleanup_handover_ struct handover *handover = sample_handover();
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ void *blob = NULL;
	size_t size = 0, text_size;
	FILE *f = open_memstream(&text, &text_size);

	blob = build(handover, &size);
	assert_non_null(f);
	assert_int_equal(handover_print_dts(f, blob, size), 0);
	fclose(f);
	assert_string_equal(text, sample_source);
}

static void assert_text(const char *a, const char *b)
{
	if (!a || !b)
		assert_ptr_equal(a, b);
	else
		assert_string_equal(a, b);
}

static void assert_same_region(const struct region *a, const struct region *b)
{
	assert_int_equal(a->id, b->id);
	assert_string_equal(a->owner, b->owner);
	assert_string_equal(a->name, b->name);
	assert_int_equal(a->size, b->size);
	assert_int_equal(a->memdesc, b->memdesc);
	assert_int_equal(a->required, b->required);
	assert_int_equal(a->claimed, b->claimed);
	assert_int_equal(a->seals, b->seals);
	assert_int_equal(a->position, b->position);
	assert_int_equal(a->mode, b->mode);
	assert_int_equal(a->check, b->check);
	assert_text(a->reason, b->reason);
	assert_text(a->transport, b->transport);
	assert_int_equal(a->session, b->session);
	assert_int_equal(a->token, b->token);
	assert_int_equal(a->page_size, b->page_size);
	assert_int_equal(a->kept, b->kept);
	assert_int_equal(a->has_digest, b->has_digest);
	assert_memory_equal(a->digest, b->digest, REGION_DIGEST_SIZE);
}

static void assert_same_problems(char **a, char **b)
{
	for (; a && b && *a && *b; a++, b++)
		assert_string_equal(*a, *b);
	assert_true((!a || !*a) && (!b || !*b));
}

static void assert_same(const struct handover *a, const struct handover *b)
{
	assert_int_equal(a->generation, b->generation);
	assert_text(a->update_id, b->update_id);
	assert_int_equal(a->state, b->state);
	assert_string_equal(a->boot_id, b->boot_id);
	assert_int_equal(a->kexec_count, b->kexec_count);
	assert_text(a->release, b->release);
	assert_text(a->next_release, b->next_release);
	assert_text(a->image, b->image);
	assert_int_equal(a->forced, b->forced);
	assert_text(a->transport, b->transport);
	assert_text(a->spool, b->spool);
	assert_int_equal(a->copy_size, b->copy_size);
	assert_int_equal(a->copy_usec_estimated, b->copy_usec_estimated);
	assert_int_equal(a->copy_usec, b->copy_usec);
	assert_text(a->kept_spool, b->kept_spool);
	assert_text(a->kept_update, b->kept_update);
	assert_text(a->result, b->result);
	assert_same_problems(a->problems, b->problems);
	assert_memory_equal(a->moments, b->moments, sizeof(a->moments));
	assert_int_equal(a->next_region_id, b->next_region_id);
	assert_int_equal(a->n_regions, b->n_regions);
	for (size_t i = 0; i < a->n_regions; i++)
		assert_same_region(a->regions[i], b->regions[i]);
}

static void assert_round_trip(const struct handover *handover)
{
	_cleanup_handover_ struct handover *back = NULL;
	_cleanup_free_ void *blob = NULL, *again = NULL;
	size_t size = 0, size_again = 0;

	blob = build(handover, &size);
	back = parse(blob, size);
	assert_same(handover, back);
	again = build(back, &size_again);
	assert_int_equal(size, size_again);
	assert_memory_equal(blob, again, size);
}

static void test_everything_comes_back(void **state)
{
	_cleanup_handover_ struct handover *handover = sample_handover();

	assert_round_trip(handover);
}

static void test_nothing_comes_back_too(void **state)
{
	_cleanup_handover_ struct handover *handover = handover_new();

	assert_non_null(handover);
	assert_int_equal(handover->next_region_id, 1);
	assert_round_trip(handover);
}

static void test_empty_is_absent(void **state)
{
	_cleanup_handover_ struct handover *handover = handover_new();
	_cleanup_free_ void *without = NULL, *with = NULL;
	size_t size_without = 0, size_with = 0;

	without = build(handover, &size_without);
	handover->release = strdup("");
	handover->problems = calloc(1, sizeof(char *));
	with = build(handover, &size_with);
	assert_int_equal(size_with, size_without);
	assert_memory_equal(with, without, size_with);
}

static void test_every_enum_value_comes_back(void **state)
{
	_cleanup_handover_ struct handover *handover = handover_new();
	struct region *region = add_region(handover, "o", "n");

	for (int i = 0; i < _UPDATE_STATE_MAX || i < _REGION_CHECK_MAX; i++) {
		handover->state = i % _UPDATE_STATE_MAX;
		region->check = i % _REGION_CHECK_MAX;
		assert_round_trip(handover);
	}
}

static void test_unaligned_and_oversized_buffers(void **state)
{
	_cleanup_handover_ struct handover *handover = sample_handover(), *back = NULL;
	_cleanup_free_ void *blob = NULL;
	_cleanup_free_ char *shifted = NULL;
	size_t size = 0;

	blob = build(handover, &size);
	shifted = calloc(1, 2 * HANDOVER_SIZE_MAX);
	assert_non_null(shifted);
	memcpy(shifted + 3, blob, size);
	back = parse(shifted + 3, size + 97);
	assert_same(handover, back);
	handover_free(back);
	back = parse(shifted + 3, 2 * HANDOVER_SIZE_MAX - 3);
	assert_same(handover, back);
}

static void test_find_and_remove(void **state)
{
	_cleanup_handover_ struct handover *handover = sample_handover();
	_cleanup_region_ struct region *items = NULL;

	items = handover_find(handover, "cache.service", "items");
	assert_non_null(items);
	assert_ptr_equal(handover_find_id(handover, items->id), items);
	assert_null(handover_find(handover, "cache.service", "blob"));
	assert_null(handover_find(handover, "uid:0", "items"));
	assert_null(handover_find(handover, "zzz", "zzz"));
	assert_null(handover_find_id(handover, 0));
	assert_null(handover_find_id(handover, 4));
	assert_ptr_equal(handover_remove(handover, items), items);
	assert_int_equal(handover->n_regions, 2);
	assert_null(handover_find(handover, "cache.service", "items"));
	assert_null(handover_find_id(handover, 1));
	assert_non_null(handover_find_id(handover, 2));
	assert_non_null(handover_find(handover, "uid:0", "blob"));
	assert_round_trip(handover);
}

static void test_regions_are_sorted(void **state)
{
	_cleanup_handover_ struct handover *handover = handover_new();
	static const char *const names[] = {"m", "a", "z", "b", "y", "c"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		add_region(handover, "two", names[i]);
		add_region(handover, "one", names[i]);
	}
	for (size_t i = 1; i < handover->n_regions; i++) {
		const struct region *a = handover->regions[i - 1], *b = handover->regions[i];
		int order = strcmp(a->owner, b->owner);

		assert_true(order < 0 || (order == 0 && strcmp(a->name, b->name) < 0));
	}
	for (uint32_t id = 1; id <= 12; id++)
		assert_int_equal(handover_find_id(handover, id)->id, id);
	assert_round_trip(handover);
}

static void assert_add_fails(struct handover *handover, const char *name, uint32_t id, int error)
{
	_cleanup_region_ struct region *region = NULL;
	size_t n = handover->n_regions;

	assert_int_equal(region_new("o", name, &region), 0);
	region->id = id;
	assert_int_equal(handover_add_region(handover, region), error);
	assert_int_equal(region->id, id);
	assert_int_equal(handover->n_regions, n);
}

static void test_names_and_ids_are_unique(void **state)
{
	_cleanup_handover_ struct handover *handover = handover_new();
	_cleanup_region_ struct region *region = NULL;

	assert_int_equal(add_region(handover, "o", "a")->id, 1);
	assert_add_fails(handover, "a", 0, -EEXIST);
	assert_add_fails(handover, "b", 1, -ENOTUNIQ);
	assert_add_fails(handover, "b", UINT32_MAX, -EOVERFLOW);
	assert_int_equal(region_new("o", "b", &region), 0);
	region->id = 7;
	assert_int_equal(handover_add_region(handover, region), 0);
	TAKE_PTR(region);
	/* An id is not given out again, even after its region has gone. */
	region_free(handover_remove(handover, handover_find_id(handover, 7)));
	assert_int_equal(add_region(handover, "o", "c")->id, 8);
	handover->next_region_id = UINT32_MAX;
	assert_add_fails(handover, "d", 0, -EOVERFLOW);
}

static void assert_build_fails(const struct handover *handover, int error)
{
	void *blob = NULL;
	size_t size;

	assert_int_equal(handover_build(handover, &blob, &size), error);
	assert_null(blob);
}

static void test_problems(void **state)
{
	_cleanup_handover_ struct handover *handover = handover_new();
	char longer[HANDOVER_PROBLEM_MAX + 10];

	memset(longer, 'p', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(handover_add_problem(handover, "%s", ""), -EINVAL);
	assert_null(handover->problems);
	for (int i = 0; i < HANDOVER_PROBLEMS_MAX; i++)
		assert_int_equal(handover_add_problem(handover, "%s", longer), 0);
	assert_int_equal(handover_add_problem(handover, "one more"), -ENOSPC);
	assert_int_equal(strlen(handover->problems[0]), HANDOVER_PROBLEM_MAX);
	assert_null(handover->problems[HANDOVER_PROBLEMS_MAX]);
	assert_round_trip(handover);
	handover->problems =
		reallocarray(handover->problems, HANDOVER_PROBLEMS_MAX + 2, sizeof(char *));
	handover->problems[HANDOVER_PROBLEMS_MAX] = strdup("one more");
	handover->problems[HANDOVER_PROBLEMS_MAX + 1] = NULL;
	assert_build_fails(handover, -EINVAL);
	handover_clear_problems(handover);
	assert_null(handover->problems);
	assert_round_trip(handover);
}

static void assert_text_refused(struct handover *handover, char **field, const char *text)
{
	char *saved = *field;

	*field = (char *)text;
	assert_build_fails(handover, -EINVAL);
	*field = saved;
}

/* What could not be read back is not written in the first place. */
static void test_build_refuses_what_parse_would(void **state)
{
	_cleanup_handover_ struct handover *handover = sample_handover();
	struct region *region = handover->regions[0];
	char longer[5000];

	memset(longer, 'l', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	assert_text_refused(handover, &handover->release, "a\nb");
	assert_text_refused(handover, &handover->release, "\xff");
	assert_text_refused(handover, &handover->image, longer);
	assert_text_refused(handover, &handover->update_id, longer + sizeof(longer) - 65);
	assert_text_refused(handover, &handover->problems[1], "");
	assert_text_refused(handover, &handover->problems[1], longer);
	assert_text_refused(handover, &region->name, "");
	assert_text_refused(handover, &region->name, NULL);
	assert_text_refused(handover, &region->name, longer);
	assert_text_refused(handover, &region->reason, longer);
	handover->boot_id[35] = '\0';
	assert_build_fails(handover, -EINVAL);
	handover->boot_id[0] = '\0';
	handover->state = _UPDATE_STATE_MAX;
	assert_build_fails(handover, -EINVAL);
	handover->state = UPDATE_IDLE;
	region->check = _REGION_CHECK_MAX;
	assert_build_fails(handover, -EINVAL);
	region->check = REGION_NEW;
	region->size = REGION_SIZE_MAX;
	assert_build_fails(handover, -EINVAL);
	region->size = REGION_SIZE_MAX - 1;
	assert_round_trip(handover);
}

/* N regions, each of its own owner, with the longest names and every field there is. */
static struct handover *largest_handover(size_t n)
{
	struct handover *handover = handover_new();

	for (size_t i = 0; i < n; i++) {
		char owner[REGION_OWNER_MAX + 1], name[REGION_NAME_MAX + 1], reason[256];
		struct region *region;

		snprintf(owner, sizeof(owner), "%0*zu", REGION_OWNER_MAX, i * 2654435761 % 65536);
		snprintf(name, sizeof(name), "%0*zu", REGION_NAME_MAX, i);
		snprintf(reason, sizeof(reason), "%0*zu", REGION_REASON_MAX, i);
		region = add_region(handover, owner, name);
		assert_int_equal(region_set_reason(region, "%s", reason), 0);
		region->required = region->claimed = region->has_digest = true;
		region->seals = region->mode = region->session = 1;
		region->position = region->token = region->size = 1;
		region->transport = strdup("luo");
	}
	return handover;
}

static void test_largest_fits_a_slot(void **state)
{
	_cleanup_handover_ struct handover *handover = largest_handover(HANDOVER_REGIONS_MAX);
	_cleanup_handover_ struct handover *back = NULL;
	_cleanup_free_ void *memory = calloc(1, SLOTS_SIZE), *blob = NULL, *copy = NULL;
	char problem[HANDOVER_PROBLEM_MAX + 1];
	size_t size = 0, copy_size = 0;

	memset(problem, 'p', HANDOVER_PROBLEM_MAX);
	problem[HANDOVER_PROBLEM_MAX] = '\0';
	for (int i = 0; i < HANDOVER_PROBLEMS_MAX; i++)
		assert_int_equal(handover_add_problem(handover, "%s", problem), 0);
	assert_add_fails(handover, "one more", 0, -ENOSPC);
	blob = build(handover, &size);
	/* A quarter is left for what later versions add. */
	assert_true(size < HANDOVER_SIZE_MAX * 3 / 4);
	assert_int_equal(slots_write(memory, SLOTS_SIZE, 1, blob, size), 0);
	assert_int_equal(slots_read(memory, SLOTS_SIZE, &copy, &copy_size, NULL), 0);
	back = parse(copy, copy_size);
	assert_same(handover, back);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Processor time of making, building, parsing and searching N regions; the best of three. */
static double time_of(size_t n)
{
	double best = 1e9;

	for (int run = 0; run < 3; run++) {
		double start = seconds();
		_cleanup_handover_ struct handover *handover = largest_handover(n), *back = NULL;
		_cleanup_free_ void *blob = NULL;
		size_t size = 0;

		blob = build(handover, &size);
		back = parse(blob, size);
		for (uint32_t id = 1; id <= n; id++)
			assert_non_null(handover_find_id(back, id));
		best = seconds() - start < best ? seconds() - start : best;
	}
	return best;
}

static void test_time_is_not_quadratic(void **state)
{
	double few = time_of(512), many = time_of(4096);

	/* Eight times as many: 8 if linear, 64 if quadratic. */
	if (many > 24 * few)
		fail_msg("512 regions take %.4f s, 4096 take %.4f s", few, many);
}

static void test_give(void **state)
{
	_cleanup_(handover_freep) struct handover *h = handover_new();
	static const char *const owners[] = {"b", "a", "c"};
	struct region *region;

	assert_non_null(h);
	for (size_t i = 0; i < ARRAY_SIZE(owners); i++) {
		assert_int_equal(region_new(owners[i], i == 2 ? "other" : "same", &region), 0);
		assert_int_equal(handover_add_region(h, region), 0);
	}
	region = handover_find(h, "a", "same");
	assert_int_equal(handover_give(h, region, "b"), -EEXIST);
	assert_int_equal(handover_give(h, region, ""), -EINVAL);
	assert_ptr_equal(handover_find(h, "a", "same"), region);
	assert_int_equal(handover_give(h, region, "z"), 0);
	assert_null(handover_find(h, "a", "same"));
	assert_ptr_equal(handover_find(h, "z", "same"), region);
	assert_ptr_equal(handover_find_id(h, region->id), region);
	/* The others are where they are looked for. */
	assert_non_null(handover_find(h, "b", "same"));
	assert_non_null(handover_find(h, "c", "other"));
	assert_int_equal(h->n_regions, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_give),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_everything_comes_back),
		cmocka_unit_test(test_nothing_comes_back_too),
		cmocka_unit_test(test_empty_is_absent),
		cmocka_unit_test(test_every_enum_value_comes_back),
		cmocka_unit_test(test_unaligned_and_oversized_buffers),
		cmocka_unit_test(test_find_and_remove),
		cmocka_unit_test(test_regions_are_sorted),
		cmocka_unit_test(test_names_and_ids_are_unique),
		cmocka_unit_test(test_problems),
		cmocka_unit_test(test_build_refuses_what_parse_would),
		cmocka_unit_test(test_largest_fits_a_slot),
		cmocka_unit_test(test_time_is_not_quadratic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
