/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <string.h>

#include "kho/cli/json.h"
#include "kho/cli/owner.h"
#include "kho/cli/say.h"
#include "kho/cli/verbs.h"

struct take {
	const char *owner;
	const char *to; /* NULL: the caller */
	char *const *names;
	bool json;
};

static enum exit_code take_regions(const struct take *take)
{
	_cleanup_json_ sd_json_variant *taken = NULL, *document = NULL;
	enum exit_code code = EXIT_DONE, failed;
	int r = sd_json_variant_new_array(&taken, NULL, 0);

	for (char *const *name = take->names; r >= 0 && *name; name++) {
		failed = owner_give(take->owner, *name, take->to);
		if (failed != EXIT_DONE) {
			code = code == EXIT_DONE ? failed : code;
			continue;
		}
		if (!take->json)
			printf("took %s of %s\n", *name, take->owner);
		r = sd_json_variant_append_arrayb(&taken, SD_JSON_BUILD_STRING(*name));
	}
	if (r >= 0 && take->json)
		r = sd_json_buildo(&document, SD_JSON_BUILD_PAIR_VARIANT("taken", taken));
	if (document)
		json_print(document);
	return r < 0 ? EXIT_LOCAL : code;
}

static bool is_owner(const char *text)
{
	return strchr(text, '.') || strncmp(text, "uid:", 4) == 0;
}

int verb_take(int argc, char *argv[])
{
	static const struct option options[] = {
		{"owner", required_argument, NULL, 'o'},
		{"to", required_argument, NULL, 't'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{},
	};
	struct take take = {};
	int c;

	while ((c = getopt_long(argc, argv, "o:t:jh", options, NULL)) >= 0)
		switch (c) {
		case 'o':
			take.owner = optarg;
			break;
		case 't':
			take.to = optarg;
			break;
		case 'j':
			take.json = true;
			break;
		case 'h':
			print_usage("take");
			return EXIT_DONE;
		default:
			return bad_usage("take");
		}
	if (!take.owner || optind == argc) {
		say("take takes --owner=OWNER and the NAMEs of its regions");
		return bad_usage("take");
	}
	if (take.to && !is_owner(take.to)) {
		say("--to takes an owner as kho list shows it, UNIT.service, uid:N/UNIT.service or "
		    "uid:N, not \"%s\"",
		    take.to);
		return bad_usage("take");
	}
	take.names = argv + optind;
	return take_regions(&take);
}
