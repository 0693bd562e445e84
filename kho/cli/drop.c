/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>

#include "kho/cli/handover.h"
#include "kho/cli/say.h"
#include "kho/cli/verbs.h"

static enum exit_code drop_regions(char *const *names, bool json)
{
	_cleanup_json_ sd_json_variant *dropped = NULL, *document = NULL;
	_cleanup_kho_ struct kho *kho = NULL;
	enum exit_code code, failed;
	int r;

	code = handover_open(&kho);
	if (code != EXIT_DONE)
		return code;
	r = sd_json_variant_new_array(&dropped, NULL, 0);
	for (; r >= 0 && *names; names++) {
		int error = kho_unregister(kho, *names);

		if (error >= 0) {
			if (!json)
				printf("dropped %s\n", *names);
			r = sd_json_variant_append_arrayb(&dropped, SD_JSON_BUILD_STRING(*names));
			continue;
		}
		failed = handover_failed(kho, error);
		code = code == EXIT_DONE ? failed : code;
	}
	if (r >= 0 && json)
		r = sd_json_buildo(&document, SD_JSON_BUILD_PAIR_VARIANT("dropped", dropped));
	if (document)
		json_print(document);
	return r < 0 ? EXIT_LOCAL : code;
}

int verb_drop(int argc, char *argv[])
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{},
	};
	bool json = false;
	int c;

	while ((c = getopt_long(argc, argv, "jh", options, NULL)) >= 0)
		switch (c) {
		case 'j':
			json = true;
			break;
		case 'h':
			print_usage("drop");
			return EXIT_DONE;
		default:
			return bad_usage("drop");
		}
	if (optind == argc) {
		say("drop takes the NAMEs of regions");
		return bad_usage("drop");
	}
	return drop_regions(argv + optind, json);
}
