/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/daemon/region-json.h"
#include "kho/daemon/report.h"

static int append_moment(const struct handover *report, enum moment moment, sd_json_variant **array)
{
	if (!report->moments[moment])
		return 0;
	return sd_json_variant_append_arraybo(
		array, SD_JSON_BUILD_PAIR_STRING("event", moment_to_string(moment)),
		SD_JSON_BUILD_PAIR_UNSIGNED("realtimeUSec", report->moments[moment]));
}

/* An orderly shutdown commits first, and services that run on to the end are frozen there. */
static bool commits_first(const uint64_t *moments)
{
	return moments[MOMENT_COMMIT] && moments[MOMENT_COMMIT] < moments[MOMENT_FREEZE];
}

static int timeline_to_json(const struct handover *report, sd_json_variant **ret)
{
	bool first = commits_first(report->moments);
	int r = sd_json_variant_new_array(ret, NULL, 0);

	for (int i = 0; r >= 0 && i < _MOMENT_MAX; i++) {
		if (i == MOMENT_FREEZE && first)
			r = append_moment(report, MOMENT_COMMIT, ret);
		if (r >= 0 && (i != MOMENT_COMMIT || !first))
			r = append_moment(report, i, ret);
	}
	return r;
}

/* When the first service stopped working; 0: not known. */
static uint64_t end_of_work(const uint64_t *moments)
{
	if (commits_first(moments) || !moments[MOMENT_FREEZE])
		return moments[MOMENT_COMMIT];
	return moments[MOMENT_FREEZE];
}

int report_to_json(const struct handover *report, sd_json_variant **ret)
{
	const uint64_t *m = report->moments;
	uint64_t down = end_of_work(m);
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
			SD_JSON_BUILD_PAIR_CONDITION(!!report->boot_id[0], "bootId",
						     SD_JSON_BUILD_STRING(report->boot_id)),
			SD_JSON_BUILD_PAIR_BOOLEAN("forced", report->forced),
			SD_JSON_BUILD_PAIR_CONDITION(!!report->shutdown, "shutdown",
						     SD_JSON_BUILD_STRING(report->shutdown)),
			SD_JSON_BUILD_PAIR_CONDITION(
				down && m[MOMENT_LAST_CLAIM] > down, "downtimeUSec",
				SD_JSON_BUILD_UNSIGNED(m[MOMENT_LAST_CLAIM] - down)),
			SD_JSON_BUILD_PAIR_CONDITION(report->copy_usec > 0, "copySize",
						     SD_JSON_BUILD_UNSIGNED(report->copy_size)),
			SD_JSON_BUILD_PAIR_CONDITION(report->copy_usec > 0, "copyUSec",
						     SD_JSON_BUILD_UNSIGNED(report->copy_usec)),
			SD_JSON_BUILD_PAIR_CONDITION(
				report->copy_usec > 0, "copyUSecEstimated",
				SD_JSON_BUILD_UNSIGNED(report->copy_usec_estimated)),
			SD_JSON_BUILD_PAIR_VARIANT("timeline", timeline),
			SD_JSON_BUILD_PAIR_VARIANT("regions", regions),
			SD_JSON_BUILD_PAIR_VARIANT("problems", problems));
	sd_json_variant_unref(timeline);
	sd_json_variant_unref(regions);
	sd_json_variant_unref(problems);
	return r;
}
