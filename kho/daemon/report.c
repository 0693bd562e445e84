/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/daemon/region-json.h"
#include "kho/daemon/report.h"

static int timeline_to_json(const struct handover *report, sd_json_variant **ret)
{
	int r = sd_json_variant_new_array(ret, NULL, 0);

	for (int i = 0; r >= 0 && i < _MOMENT_MAX; i++) {
		if (!report->moments[i])
			continue;
		r = sd_json_variant_append_arraybo(
			ret, SD_JSON_BUILD_PAIR_STRING("event", moment_to_string(i)),
			SD_JSON_BUILD_PAIR_UNSIGNED("realtimeUSec", report->moments[i]));
	}
	return r;
}

int report_to_json(const struct handover *report, sd_json_variant **ret)
{
	const uint64_t *m = report->moments;
	sd_json_variant *timeline = NULL, *regions = NULL, *problems = NULL;
	int r;

	r = timeline_to_json(report, &timeline);
	if (r >= 0)
		r = regions_to_json(report, NULL, &regions);
	if (r >= 0)
		r = sd_json_variant_new_array_strv(&problems, report->problems);
	if (r >= 0)
		r = sd_json_buildo(
			ret,
			SD_JSON_BUILD_PAIR_CONDITION(!!report->update_id, "update",
						     SD_JSON_BUILD_STRING(report->update_id)),
			SD_JSON_BUILD_PAIR_CONDITION(!!report->result, "result",
						     SD_JSON_BUILD_STRING(report->result)),
			SD_JSON_BUILD_PAIR_CONDITION(!!report->release, "previousRelease",
						     SD_JSON_BUILD_STRING(report->release)),
			SD_JSON_BUILD_PAIR_CONDITION(!!report->next_release, "kernelRelease",
						     SD_JSON_BUILD_STRING(report->next_release)),
			SD_JSON_BUILD_PAIR_CONDITION(report->kexec_count > 0, "kexecCount",
						     SD_JSON_BUILD_UNSIGNED(report->kexec_count)),
			SD_JSON_BUILD_PAIR_BOOLEAN("forced", report->forced),
			SD_JSON_BUILD_PAIR_CONDITION(
				m[MOMENT_FREEZE] && m[MOMENT_LAST_CLAIM] > m[MOMENT_FREEZE],
				"downtimeUSec",
				SD_JSON_BUILD_UNSIGNED(m[MOMENT_LAST_CLAIM] - m[MOMENT_FREEZE])),
			SD_JSON_BUILD_PAIR_VARIANT("timeline", timeline),
			SD_JSON_BUILD_PAIR_VARIANT("regions", regions),
			SD_JSON_BUILD_PAIR_VARIANT("problems", problems));
	sd_json_variant_unref(timeline);
	sd_json_variant_unref(regions);
	sd_json_variant_unref(problems);
	return r;
}
