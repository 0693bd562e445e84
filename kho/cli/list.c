/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <string.h>

#include "kho/cli/ask.h"
#include "kho/cli/json.h"
#include "kho/cli/leftovers.h"
#include "kho/cli/region-source.h"
#include "kho/cli/regions.h"
#include "kho/cli/say.h"
#include "kho/cli/verbs.h"

static int keep_unclaimed(sd_json_variant **regions)
{
	_cleanup_json_ sd_json_variant *kept = NULL;
	int r;

	r = sd_json_variant_new_array(&kept, NULL, 0);
	for (size_t i = 0; r >= 0 && i < json_length(*regions); i++) {
		sd_json_variant *region = sd_json_variant_by_index(*regions, i);

		if (!json_boolean(region, "claimed") &&
		    strcmp(json_string(region, "check"), "lost") != 0)
			r = sd_json_variant_append_array(&kept, region);
	}
	if (r < 0)
		return r;
	sd_json_variant_unref(*regions);
	*regions = TAKE_PTR(kept);
	return 0;
}

static int print_list(sd_json_variant *regions, sd_json_variant *leftovers, bool json)
{
	_cleanup_json_ sd_json_variant *document = NULL;
	int r;

	if (!json) {
		r = regions_print(regions);
		leftovers_print(leftovers);
		return r;
	}
	r = sd_json_buildo(&document, SD_JSON_BUILD_PAIR_VARIANT("regions", regions),
			   SD_JSON_BUILD_PAIR_CONDITION(!!leftovers, "leftovers",
							SD_JSON_BUILD_VARIANT(leftovers)));
	if (r >= 0)
		json_print(document);
	return r;
}

/* Nothing is known yet of what arrived, and the list must not seem to say otherwise. */
static void warn_of_restoring(void)
{
	_cleanup_json_ sd_json_variant *status = NULL;

	if (geteuid() == 0 && ask_manager("Status", NULL, &status, NULL) == EXIT_DONE &&
	    strcmp(json_string(status, "state"), "restoring") == 0)
		say("the last update is still being restored, nothing has arrived yet (kho status)");
}

static int show_list(char *const *names, bool unclaimed, bool json)
{
	_cleanup_json_ sd_json_variant *all = NULL, *regions = NULL, *leftovers = NULL;
	const char *missing;
	enum exit_code code;
	int r;

	code = region_source_list(&all);
	if (code != EXIT_DONE)
		return code;
	missing = regions_missing(all, names);
	r = regions_filter(all, names, &regions);
	if (r >= 0 && unclaimed)
		r = keep_unclaimed(&regions);
	if (r >= 0 && !*names)
		r = leftovers_fetch(&leftovers);
	if (r >= 0)
		r = print_list(regions, leftovers, json);
	warn_of_restoring();
	if (r < 0) {
		say("can't list regions: %s", strerror(-r));
		return EXIT_LOCAL;
	}
	if (missing) {
		say("no region is called %s (kho list names all)", missing);
		return EXIT_REFUSED;
	}
	return EXIT_DONE;
}

int verb_list(int argc, char *argv[])
{
	static const struct option options[] = {
		{"unclaimed", no_argument, NULL, 'u'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{},
	};
	bool unclaimed = false, json = false;
	int c;

	while ((c = getopt_long(argc, argv, "ujh", options, NULL)) >= 0)
		switch (c) {
		case 'u':
			unclaimed = true;
			break;
		case 'j':
			json = true;
			break;
		case 'h':
			print_usage("list");
			return EXIT_DONE;
		default:
			return bad_usage("list");
		}
	return show_list(argv + optind, unclaimed, json);
}
