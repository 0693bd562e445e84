/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "kho/core/tree.h"

static void require(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "fuzz-tree: %s\n", what);
	abort();
}

/* The first tree that is written of anything that could be read is as good as any later one. */
static void check_round_trip(const struct handover *handover)
{
	_cleanup_handover_ struct handover *back = NULL;
	_cleanup_free_ void *once = NULL, *twice = NULL;
	size_t size_once = 0, size_twice = 0;

	/* Names that had ended in each other shared their bytes, and need not any more. */
	if (handover_build(handover, &once, &size_once) == -E2BIG)
		return;
	require(once, "what was read can't be written");
	require(handover_parse(once, size_once, &back) == 0, "what was written can't be read");
	require(handover_build(back, &twice, &size_twice) == 0, "can't be written again");
	require(size_once == size_twice && memcmp(once, twice, size_once) == 0,
		"written twice, it differs");
}

static void check_print(const uint8_t *data, size_t size, bool readable)
{
	_cleanup_free_ char *text = NULL;
	size_t text_size = 0;
	FILE *f = open_memstream(&text, &text_size);
	int r;

	require(f, "out of memory");
	r = handover_print_dts(f, data, size);
	fclose(f);
	require(r == 0 || (r == -EBADMSG && !readable), "can be read, but not printed");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_handover_ struct handover *handover = NULL;
	int r = handover_parse(data, size, &handover);

	require((r == 0) == (handover != NULL), "an error and a handover, or neither");
	require(r == 0 || r == -EBADMSG || r == -EPROTONOSUPPORT, "another error than documented");
	if (handover)
		check_round_trip(handover);
	check_print(data, size, handover);
	return 0;
}
