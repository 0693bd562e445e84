/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <string.h>
#include <systemd/sd-id128.h>

#include "kho/cli/ask.h"
#include "kho/client/format.h"
#include "kho/cli/json.h"
#include "kho/cli/pid1.h"
#include "kho/cli/regions.h"
#include "kho/cli/json-option.h"
#include "kho/cli/say.h"
#include "kho/cli/table.h"
#include "kho/cli/verbs.h"

/* Between two looks at an update that is being restored. */
#define PERIOD_USEC 100000

static const char *moment_in_words(const char *event)
{
	static const struct {
		const char *event, *words;
	} moments[] = {
		{"prepare", "prepare begins"},	    {"prepared", "every region preserved"},
		{"staged", "next kernel loaded"},   {"freeze", "freeze: services stop"},
		{"frozen", "all services stopped"}, {"commit", "kexec, or shutdown begins"},
		{"kernel-start", "kernel starts"},  {"daemon-start", "khod ready"},
		{"restored", "restoring ends"},	    {"first-claim", "first claim"},
		{"last-claim", "last claim"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(moments); i++)
		if (strcmp(moments[i].event, event) == 0)
			return moments[i].words;
	return event;
}

static int print_timeline(sd_json_variant *timeline)
{
	_cleanup_table_ struct table *table = table_new("TIME|>AFTER|EVENT");
	char time[FORMAT_TIME_MAX], after[FORMAT_DURATION_MAX];
	uint64_t start = 0;

	if (json_length(timeline) == 0)
		return 0;
	for (size_t i = 0; i < json_length(timeline); i++) {
		sd_json_variant *moment = sd_json_variant_by_index(timeline, i);
		uint64_t when = json_unsigned(moment, "realtimeUSec");

		if (i == 0)
			start = when;
		table_cell(table, format_time(when, time));
		table_cell(table, i == 0 ? "" : format_offset(start, when, after));
		table_cell(table, moment_in_words(json_string(moment, "event")));
	}
	printf("\n");
	return table_print(table, "", stdout);
}

static int print_fates(sd_json_variant *regions)
{
	_cleanup_table_ struct table *table = table_new("NAME|OWNER|>SIZE|FATE");
	char size[FORMAT_SIZE_MAX];

	if (json_length(regions) == 0)
		return 0;
	for (size_t i = 0; i < json_length(regions); i++) {
		sd_json_variant *region = sd_json_variant_by_index(regions, i);
		_cleanup_free_ char *fate = region_fate(region);

		table_cell(table, json_string(region, "name"));
		table_cell(table, json_string(region, "owner"));
		table_cell(table, format_size(json_unsigned(region, "size"), size));
		table_cell(table, fate);
	}
	printf("\n");
	return table_print(table, "", stdout);
}

static void print_problems(sd_json_variant *problems)
{
	if (json_length(problems) > 0)
		printf("\nproblems\n");
	for (size_t i = 0; i < json_length(problems); i++)
		printf("  %s\n", sd_json_variant_string(sd_json_variant_by_index(problems, i)));
}

static const char *result_in_words(const char *result)
{
	if (strcmp(result, "restored") == 0)
		return "restored: every region arrived";
	if (strcmp(result, "incomplete") == 0)
		return "INCOMPLETE: something was lost or damaged";
	if (strcmp(result, "lost") == 0)
		return "LOST: nothing arrived";
	return result;
}

/* Where nothing but the loss is known. */
static const char *known(sd_json_variant *report, const char *field)
{
	return json_has(report, field) ? json_string(report, field) : "unknown";
}

static void print_copies(sd_json_variant *report)
{
	char size[FORMAT_SIZE_MAX], took[FORMAT_DURATION_MAX], expected[FORMAT_DURATION_MAX];

	if (json_has(report, "copyUSec"))
		printf("copied    %s in %s, expected: %s\n",
		       format_size(json_unsigned(report, "copySize"), size),
		       format_duration(json_unsigned(report, "copyUSec"), took),
		       format_duration(json_unsigned(report, "copyUSecEstimated"), expected));
}

/* PID 1 speaks of this boot, the report perhaps of an earlier one. */
static bool is_of_this_boot(sd_json_variant *report)
{
	sd_id128_t reported, booted;

	return sd_id128_from_string(json_string(report, "bootId"), &reported) >= 0 &&
	       sd_id128_get_boot(&booted) >= 0 && sd_id128_equal(reported, booted);
}

static void print_pid1(const struct pid1 *pid1, uint64_t counted)
{
	_cleanup_free_ char *line = pid1_line(pid1, counted);

	if (line)
		printf("systemd   %s\n", line);
}

static int print_report(sd_json_variant *report, const struct pid1 *pid1)
{
	sd_json_variant *regions = json_array(report, "regions");
	char downtime[FORMAT_DURATION_MAX];
	uint64_t count = json_unsigned(report, "kexecCount");
	int r;

	printf("update    %s", json_has(report, "shutdown") ? "none" : known(report, "update"));
	if (count > 0)
		printf(" (kexec %" PRIu64 " since the cold boot)", count);
	printf("\nkernel    %s -> %s\n", known(report, "previousRelease"),
	       known(report, "kernelRelease"));
	if (pid1)
		print_pid1(pid1, count);
	printf("result    %s\n", result_in_words(json_string(report, "result")));
	if (json_has(report, "shutdown"))
		printf("shutdown  %s: that keeps no memory\n", json_string(report, "shutdown"));
	if (json_boolean(report, "forced"))
		printf("forced    the next kernel did not pass the check, or nobody checked it\n");
	if (json_has(report, "downtimeUSec"))
		printf("downtime  %s (services stopped, to last claim)\n",
		       format_duration(json_unsigned(report, "downtimeUSec"), downtime));
	print_copies(report);
	r = print_timeline(json_array(report, "timeline"));
	if (r >= 0)
		r = print_fates(regions);
	if (r >= 0)
		print_problems(json_array(report, "problems"));
	return r;
}

/* What khod says of the whole counts, and each region too: neither may hide a loss. */
static bool all_is_well(sd_json_variant *report)
{
	sd_json_variant *regions = json_array(report, "regions");

	if (strcmp(json_string(report, "result"), "restored") != 0)
		return false;
	for (size_t i = 0; i < json_length(regions); i++)
		if (region_is_lost(sd_json_variant_by_index(regions, i)))
			return false;
	return true;
}

static bool is_being_restored(sd_json_variant *report)
{
	return json_has(report, "update") && !json_has(report, "result");
}

/* Right after a boot it may still be on its way; what holds it up is for the caller to see. */
static enum exit_code fetch_report(sd_json_variant **ret)
{
	for (;;) {
		_cleanup_json_ sd_json_variant *report = NULL;
		enum exit_code code = ask_manager("Report", NULL, &report, NULL);

		if (code != EXIT_DONE)
			return code;
		if (!is_being_restored(report) || json_length(json_array(report, "problems")) > 0) {
			*ret = TAKE_PTR(report);
			return EXIT_DONE;
		}
		usleep(PERIOD_USEC);
	}
}

static int show_report(bool json)
{
	_cleanup_json_ sd_json_variant *report = NULL;
	struct pid1 pid1, *known;
	enum exit_code code;

	code = fetch_report(&report);
	if (code != EXIT_DONE)
		return code;
	known = is_of_this_boot(report) && pid1_ask(&pid1) >= 0 ? &pid1 : NULL;
	if (known && pid1_add_json(known, &report) < 0)
		return EXIT_LOCAL;
	if (json)
		json_print(report);
	if (is_being_restored(report)) {
		if (!json)
			printf("update    %s\nresult    not known yet: restoring waits\n",
			       json_string(report, "update"));
		if (!json)
			print_problems(json_array(report, "problems"));
		return EXIT_TIMED_OUT;
	}
	if (!json_has(report, "result")) {
		if (!json)
			printf("no update has been through this machine\n");
		return EXIT_DONE;
	}
	if (!json && print_report(report, known) < 0)
		return EXIT_LOCAL;
	return all_is_well(report) ? EXIT_DONE : EXIT_LOST;
}

int verb_report(int argc, char *argv[])
{
	bool json;
	int code;

	if (!json_option_only(argc, argv, &json, &code))
		return code;
	return show_report(json);
}
