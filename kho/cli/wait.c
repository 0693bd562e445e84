/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <string.h>
#include <time.h>

#include "kho/cli/ask.h"
#include "kho/client/format.h"
#include "kho/cli/json.h"
#include "kho/cli/region-source.h"
#include "kho/cli/regions.h"
#include "kho/cli/say.h"
#include "kho/cli/verbs.h"

/* Between two looks at the regions. */
#define PERIOD_USEC UINT64_C(100000)
/* For this long a region that is not there may still be on its way from khod's start. */
#define GRACE_USEC UINT64_C(5000000)

struct wait {
	uint64_t timeout; /* microseconds; UINT64_MAX: none */
	char *const *names;
	bool json;
};

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* khod knows best when restoring has ended, and whom it waits for. */
static enum exit_code wait_for_all(const struct wait *wait, sd_json_variant **ret)
{
	_cleanup_json_ sd_json_variant *parameters = NULL;
	int r;

	r = sd_json_buildo(&parameters,
			   SD_JSON_BUILD_PAIR_CONDITION(wait->timeout != UINT64_MAX, "timeoutUSec",
							SD_JSON_BUILD_UNSIGNED(wait->timeout)));
	if (r < 0) {
		say("out of memory");
		return EXIT_LOCAL;
	}
	return ask_manager("Wait", parameters, ret, NULL);
}

/* Sorts regions into those that nobody has claimed yet and those that never will be. */
static int sort_regions(sd_json_variant *regions, bool named, sd_json_variant **ret)
{
	_cleanup_json_ sd_json_variant *unclaimed = NULL, *lost = NULL;
	int r;

	r = sd_json_variant_new_array(&unclaimed, NULL, 0);
	if (r >= 0)
		r = sd_json_variant_new_array(&lost, NULL, 0);
	for (size_t i = 0; r >= 0 && i < json_length(regions); i++) {
		sd_json_variant *region = sd_json_variant_by_index(regions, i);

		if (region_is_lost(region))
			r = sd_json_variant_append_array(&lost, region);
		else if (!json_boolean(region, "claimed") &&
			 (named || json_boolean(region, "required")))
			r = sd_json_variant_append_array(&unclaimed, region);
	}
	if (r < 0)
		return r;
	return sd_json_buildo(ret, SD_JSON_BUILD_PAIR_VARIANT("unclaimed", unclaimed),
			      SD_JSON_BUILD_PAIR_VARIANT("lost", lost));
}

/* One look; *ret_missing is a name that no region has. */
static enum exit_code look(const struct wait *wait, const char **ret_missing, sd_json_variant **ret)
{
	_cleanup_json_ sd_json_variant *all = NULL, *regions = NULL;
	enum exit_code code;
	int r;

	code = region_source_list(&all);
	if (code != EXIT_DONE)
		return code;
	*ret_missing = regions_missing(all, wait->names);
	r = regions_filter(all, wait->names, &regions);
	if (r >= 0)
		r = sort_regions(regions, !!*wait->names, ret);
	if (r < 0) {
		say("can't look at regions: %s", strerror(-r));
		return EXIT_LOCAL;
	}
	return EXIT_DONE;
}

static enum exit_code wait_by_looking(const struct wait *wait, sd_json_variant **ret)
{
	static const struct timespec period = {.tv_nsec = PERIOD_USEC * 1000};
	uint64_t start = now();

	for (;;) {
		_cleanup_json_ sd_json_variant *found = NULL;
		enum exit_code code;
		const char *missing;
		uint64_t waited = now() - start;

		code = look(wait, &missing, &found);
		if (code != EXIT_DONE)
			return code;
		if (missing && waited >= GRACE_USEC) {
			say("no region is called %s (kho list names all)", missing);
			return EXIT_REFUSED;
		}
		if ((!missing && json_length(json_array(found, "unclaimed")) == 0) ||
		    waited >= wait->timeout) {
			*ret = TAKE_PTR(found);
			return EXIT_DONE;
		}
		nanosleep(&period, NULL);
	}
}

static void name_lost(sd_json_variant *lost)
{
	for (size_t i = 0; i < json_length(lost); i++) {
		sd_json_variant *region = sd_json_variant_by_index(lost, i);
		_cleanup_free_ char *fate = region_fate(region);

		say("region %s of %s: %s", json_string(region, "name"),
		    json_string(region, "owner"), fate ?: "lost");
	}
}

static void name_unclaimed(sd_json_variant *unclaimed, uint64_t timeout)
{
	char duration[FORMAT_DURATION_MAX];

	for (size_t i = 0; i < json_length(unclaimed); i++) {
		sd_json_variant *region = sd_json_variant_by_index(unclaimed, i);

		say("region %s of %s is not claimed after %s (kho status)",
		    json_string(region, "name"), json_string(region, "owner"),
		    format_duration(timeout, duration));
	}
}

static enum exit_code wait_regions(const struct wait *wait)
{
	_cleanup_json_ sd_json_variant *found = NULL;
	sd_json_variant *unclaimed, *lost;
	enum exit_code code;

	if (geteuid() == 0 && !*wait->names)
		code = wait_for_all(wait, &found);
	else
		code = wait_by_looking(wait, &found);
	if (code != EXIT_DONE)
		return code;
	unclaimed = json_array(found, "unclaimed");
	lost = json_array(found, "lost");
	if (wait->json)
		json_print(found);
	name_lost(lost);
	name_unclaimed(unclaimed, wait->timeout);
	if (json_length(lost) > 0)
		return EXIT_LOST;
	return json_length(unclaimed) > 0 ? EXIT_TIMED_OUT : EXIT_DONE;
}

int verb_wait(int argc, char *argv[])
{
	static const struct option options[] = {
		{"timeout", required_argument, NULL, 't'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{},
	};
	struct wait wait = {.timeout = UINT64_MAX};
	int c;

	while ((c = getopt_long(argc, argv, "t:jh", options, NULL)) >= 0)
		switch (c) {
		case 't':
			if (parse_seconds(optarg, &wait.timeout) < 0) {
				say("--timeout takes seconds: %s", optarg);
				return EXIT_LOCAL;
			}
			break;
		case 'j':
			wait.json = true;
			break;
		case 'h':
			print_usage("wait");
			return EXIT_DONE;
		default:
			return bad_usage("wait");
		}
	wait.names = argv + optind;
	return wait_regions(&wait);
}
