/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kho/core/cleanup.h"
#include "kho/daemon/messages.h"

#define CATALOG "/systemd/kho.catalog"
#define ENTRIES_MAX 64

/* systemd.journal-fields(7) and the Journal Message Catalogs' format: "-- ID", headers, an empty
 * line, the text.
 */
struct entry {
	char id[33];
	size_t n_subjects, n_documentations, n_lines;
};

struct catalog {
	struct entry entries[ENTRIES_MAX];
	size_t n;
};

static void read_line(struct catalog *catalog, const char *line, bool *in_text)
{
	struct entry *entry = catalog->n > 0 ? &catalog->entries[catalog->n - 1] : NULL;

	if (strncmp(line, "-- ", 3) == 0) {
		assert_true(catalog->n < ENTRIES_MAX);
		entry = &catalog->entries[catalog->n++];
		assert_int_equal(sscanf(line, "-- %32[0-9a-f]\n", entry->id), 1);
		*in_text = false;
	} else if (entry && line[0] == '\n') {
		*in_text = true;
	} else if (entry && *in_text) {
		entry->n_lines++;
	} else if (entry) {
		entry->n_subjects += strncmp(line, "Subject: ", 9) == 0;
		entry->n_documentations += strncmp(line, "Documentation: man:", 19) == 0;
	} else {
		assert_true(line[0] == '#' || line[0] == '\n');
	}
}

static int set_up(void **state)
{
	const char *directory = getenv("srcdir") ? getenv("srcdir") : ".";
	struct catalog *catalog = calloc(1, sizeof(*catalog));
	_cleanup_free_ char *path = NULL;
	_cleanup_fclose_ FILE *f = NULL;
	bool in_text = false;
	char line[512];

	assert_non_null(catalog);
	assert_true(asprintf(&path, "%s" CATALOG, directory) > 0);
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		read_line(catalog, line, &in_text);
	*state = catalog;
	return 0;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static void every_id_is_unlike_the_others(void **state)
{
	assert_null(message_id(MESSAGE_NONE));
	for (int i = MESSAGE_NONE + 1; i < _MESSAGE_MAX; i++) {
		assert_int_equal(strlen(message_id(i)), 32);
		assert_int_equal(strspn(message_id(i), "0123456789abcdef"), 32);
		for (int k = MESSAGE_NONE + 1; k < i; k++)
			assert_string_not_equal(message_id(i), message_id(k));
	}
}

static void every_id_has_one_entry(void **state)
{
	const struct catalog *catalog = *state;

	for (int i = MESSAGE_NONE + 1; i < _MESSAGE_MAX; i++) {
		size_t found = 0;

		for (size_t k = 0; k < catalog->n; k++)
			found += strcmp(catalog->entries[k].id, message_id(i)) == 0;
		if (found != 1)
			fail_msg("%zu entries for %s", found, message_id(i));
	}
	assert_int_equal(catalog->n, _MESSAGE_MAX - 1);
}

static void every_entry_says_what_it_means(void **state)
{
	const struct catalog *catalog = *state;

	for (size_t i = 0; i < catalog->n; i++) {
		const struct entry *entry = &catalog->entries[i];

		if (entry->n_subjects != 1 || entry->n_documentations != 1 || entry->n_lines == 0)
			fail_msg("%s has no subject, documentation or text", entry->id);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_id_is_unlike_the_others),
		cmocka_unit_test(every_id_has_one_entry),
		cmocka_unit_test(every_entry_says_what_it_means),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
