/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/cli/json.h"
#include "kho/cli/tree-json.h"
#include "kho/core/memdesc.h"

static int region_to_json(const struct region *region, sd_json_variant **ret)
{
	char memdesc[MEMDESC_TEXT_MAX];

	return sd_json_buildo(
		ret, SD_JSON_BUILD_PAIR_UNSIGNED("id", region->id),
		SD_JSON_BUILD_PAIR_STRING("owner", region->owner),
		SD_JSON_BUILD_PAIR_STRING("name", region->name),
		SD_JSON_BUILD_PAIR_UNSIGNED("size", region->size),
		SD_JSON_BUILD_PAIR_STRING("memdesc", memdesc_format(region->memdesc, memdesc)),
		SD_JSON_BUILD_PAIR_BOOLEAN("required", region->required),
		SD_JSON_BUILD_PAIR_BOOLEAN("claimed", region->claimed),
		SD_JSON_BUILD_PAIR_UNSIGNED("seals", region->seals),
		SD_JSON_BUILD_PAIR_UNSIGNED("position", region->position),
		SD_JSON_BUILD_PAIR_UNSIGNED("mode", region->mode),
		SD_JSON_BUILD_PAIR_STRING("check", region_check_to_string(region->check)),
		SD_JSON_BUILD_PAIR_CONDITION(!!region->reason, "reason",
					     SD_JSON_BUILD_STRING(region->reason)),
		SD_JSON_BUILD_PAIR_CONDITION(!!region->transport, "transport",
					     SD_JSON_BUILD_STRING(region->transport)),
		SD_JSON_BUILD_PAIR_CONDITION(!!region->transport, "session",
					     SD_JSON_BUILD_UNSIGNED(region->session)),
		SD_JSON_BUILD_PAIR_CONDITION(!!region->transport, "token",
					     SD_JSON_BUILD_UNSIGNED(region->token)),
		SD_JSON_BUILD_PAIR_CONDITION(
			region->has_digest, "digest",
			SD_JSON_BUILD_HEX(region->digest, sizeof(region->digest))));
}

static int add_regions(const struct handover *handover, sd_json_variant **document)
{
	_cleanup_json_ sd_json_variant *regions = NULL;
	int r;

	r = sd_json_variant_new_array(&regions, NULL, 0);
	for (size_t i = 0; r >= 0 && i < handover->n_regions; i++) {
		_cleanup_json_ sd_json_variant *region = NULL;

		r = region_to_json(handover->regions[i], &region);
		if (r >= 0)
			r = sd_json_variant_append_array(&regions, region);
	}
	return r < 0 ? r : sd_json_variant_set_field(document, "regions", regions);
}

static int add_timeline(const struct handover *handover, sd_json_variant **document)
{
	_cleanup_json_ sd_json_variant *timeline = NULL;
	int r;

	r = sd_json_variant_new_object(&timeline, NULL, 0);
	for (unsigned i = 0; r >= 0 && i < _MOMENT_MAX; i++)
		if (handover->moments[i] > 0)
			r = sd_json_variant_set_field_unsigned(&timeline, moment_to_string(i),
							       handover->moments[i]);
	return r < 0 ? r : sd_json_variant_set_field(document, "timeline", timeline);
}

static int add_strings(const struct handover *handover, sd_json_variant **document)
{
	const struct {
		const char *field, *value;
	} strings[] = {
		{"update", handover->update_id},
		{"bootId", handover->boot_id[0] ? handover->boot_id : NULL},
		{"release", handover->release},
		{"nextRelease", handover->next_release},
		{"image", handover->image},
		{"result", handover->result},
	};
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(strings); i++)
		if (strings[i].value)
			r = sd_json_variant_set_field_string(document, strings[i].field,
							     strings[i].value);
	if (r >= 0 && handover->problems)
		r = sd_json_variant_set_field_strv(document, "problems", handover->problems);
	return r;
}

int tree_to_json(const struct handover *handover, sd_json_variant **ret)
{
	_cleanup_json_ sd_json_variant *document = NULL;
	int r;

	r = sd_json_buildo(
		&document, SD_JSON_BUILD_PAIR_STRING("compatible", HANDOVER_COMPATIBLE),
		SD_JSON_BUILD_PAIR_UNSIGNED("generation", handover->generation),
		SD_JSON_BUILD_PAIR_STRING("state", update_state_to_string(handover->state)),
		SD_JSON_BUILD_PAIR_UNSIGNED("kexecCount", handover->kexec_count),
		SD_JSON_BUILD_PAIR_BOOLEAN("forced", handover->forced),
		SD_JSON_BUILD_PAIR_CONDITION(!!handover->shutdown, "shutdown",
					     SD_JSON_BUILD_STRING(handover->shutdown)));
	if (r >= 0)
		r = add_strings(handover, &document);
	if (r >= 0)
		r = add_timeline(handover, &document);
	if (r >= 0)
		r = add_regions(handover, &document);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(document);
	return 0;
}
