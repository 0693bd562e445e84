/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/core/memdesc.h"
#include "kho/daemon/region-json.h"

int region_to_json(const struct region *region, sd_json_variant **ret)
{
	char memdesc[MEMDESC_TEXT_MAX];

	return sd_json_buildo(
		ret, SD_JSON_BUILD_PAIR_STRING("name", region->name),
		SD_JSON_BUILD_PAIR_STRING("owner", region->owner),
		SD_JSON_BUILD_PAIR_UNSIGNED("size", region->size),
		SD_JSON_BUILD_PAIR_STRING("memdesc", memdesc_format(region->memdesc, memdesc)),
		SD_JSON_BUILD_PAIR_BOOLEAN("required", region->required),
		SD_JSON_BUILD_PAIR_BOOLEAN("claimed", region->claimed),
		SD_JSON_BUILD_PAIR_STRING("check", region_check_to_string(region->check)),
		SD_JSON_BUILD_PAIR_CONDITION(!!region->reason, "reason",
					     SD_JSON_BUILD_STRING(region->reason)));
}

int region_status_to_json(const struct region *region, sd_json_variant **ret)
{
	int r = region_to_json(region, ret);

	if (r >= 0 && region->transport)
		r = sd_json_variant_set_field_string(ret, "transport", region->transport);
	return r;
}

int regions_to_json(const struct handover *handover, bool (*want)(const struct region *region),
		    sd_json_variant **ret)
{
	sd_json_variant *array = NULL;
	int r = sd_json_variant_new_array(&array, NULL, 0);

	for (size_t i = 0; r >= 0 && i < handover->n_regions; i++) {
		sd_json_variant *region = NULL;

		if (want && !want(handover->regions[i]))
			continue;
		r = region_status_to_json(handover->regions[i], &region);
		if (r >= 0)
			r = sd_json_variant_append_array(&array, region);
		sd_json_variant_unref(region);
	}
	if (r < 0)
		array = sd_json_variant_unref(array);
	*ret = array;
	return r;
}
