/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <string.h>

#include "kho/client/format.h"
#include "kho/cli/json.h"
#include "kho/cli/regions.h"
#include "kho/cli/table.h"

static bool answers_to(sd_json_variant *region, const char *wanted)
{
	const char *name = json_string(region, "name"), *owner = json_string(region, "owner");
	size_t n = strlen(owner);

	return strcmp(name, wanted) == 0 || (strncmp(owner, wanted, n) == 0 && wanted[n] == '/' &&
					     strcmp(wanted + n + 1, name) == 0);
}

bool region_is_named(sd_json_variant *region, char *const *names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (answers_to(region, *names))
			return true;
	return false;
}

bool region_is_lost(sd_json_variant *region)
{
	const char *check = json_string(region, "check");

	return strcmp(check, "lost") == 0 || strcmp(check, "damaged") == 0;
}

int regions_filter(sd_json_variant *regions, char *const *names, sd_json_variant **ret)
{
	_cleanup_json_ sd_json_variant *kept = NULL;
	int r;

	r = sd_json_variant_new_array(&kept, NULL, 0);
	for (size_t i = 0; r >= 0 && i < json_length(regions); i++) {
		sd_json_variant *region = sd_json_variant_by_index(regions, i);

		if (region_is_named(region, names))
			r = sd_json_variant_append_array(&kept, region);
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(kept);
	return 0;
}

const char *regions_missing(sd_json_variant *regions, char *const *names)
{
	for (; *names; names++) {
		bool found = false;

		for (size_t i = 0; !found && i < json_length(regions); i++)
			found = answers_to(sd_json_variant_by_index(regions, i), *names);
		if (!found)
			return *names;
	}
	return NULL;
}

char *region_fate(sd_json_variant *region)
{
	static const struct {
		const char *check, *words;
	} fates[] = {
		{"new", "registered since"},
		{"verified", "restored, digest verified"},
		{"unchecked", "restored, content not checked"},
		{"damaged", "DAMAGED"},
		{"lost", "LOST"},
	};
	const char *check = json_string(region, "check"), *reason = json_string(region, "reason");
	char *fate;

	for (size_t i = 0; i < ARRAY_SIZE(fates); i++)
		if (strcmp(fates[i].check, check) == 0)
			check = fates[i].words;
	return asprintf(&fate, "%s%s%s", check, *reason ? ": " : "", reason) < 0 ? NULL : fate;
}

static void add_row(struct table *table, sd_json_variant *region)
{
	const char *check = json_string(region, "check"), *held;
	_cleanup_free_ char *fate = region_fate(region);
	char size[FORMAT_SIZE_MAX];

	if (strcmp(check, "lost") == 0)
		held = "-";
	else
		held = json_boolean(region, "claimed") ? "yes" : "no";
	table_cell(table, json_string(region, "name"));
	table_cell(table, json_string(region, "owner"));
	table_cell(table, format_size(json_unsigned(region, "size"), size));
	table_cell(table, json_string(region, "memdesc"));
	table_cell(table, json_boolean(region, "required") ? "yes" : "no");
	table_cell(table, held);
	table_cell(table, strcmp(check, "new") == 0 ? "new" : fate);
}

int regions_print(sd_json_variant *regions)
{
	_cleanup_table_ struct table *table =
		table_new("NAME|OWNER|>SIZE|MEMDESC|REQUIRED|HELD|CONTENT");
	char size[FORMAT_SIZE_MAX];
	uint64_t total = 0;
	int r;

	for (size_t i = 0; i < json_length(regions); i++) {
		sd_json_variant *region = sd_json_variant_by_index(regions, i);

		total += json_unsigned(region, "size");
		add_row(table, region);
	}
	if (json_length(regions) > 0) {
		r = table_print(table, "", stdout);
		if (r < 0)
			return r;
		printf("\n");
	}
	printf("%zu %s, %s\n", json_length(regions),
	       plural(json_length(regions), "region", "regions"), format_size(total, size));
	return 0;
}
