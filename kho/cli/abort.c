/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>

#include "kho/cli/ask.h"
#include "kho/cli/json.h"
#include "kho/cli/say.h"
#include "kho/cli/verbs.h"

static int abort_update(const char *reason, bool json)
{
	_cleanup_json_ sd_json_variant *parameters = NULL, *reply = NULL;
	enum exit_code code;

	if (sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("reason", reason)) < 0) {
		say("out of memory");
		return EXIT_LOCAL;
	}
	code = ask_manager("Abort", parameters, &reply, NULL);
	if (code != EXIT_DONE)
		return code;
	if (json)
		json_print(reply);
	else if (json_has(reply, "aborted"))
		printf("update %s is undone, everything goes on as before\n",
		       json_string(reply, "aborted"));
	else
		printf("no update is in progress\n");
	return EXIT_DONE;
}

int verb_abort(int argc, char *argv[])
{
	static const struct option options[] = {
		{"reason", required_argument, NULL, 'r'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{},
	};
	const char *reason = "kho abort";
	bool json = false;
	int c;

	while ((c = getopt_long(argc, argv, "r:jh", options, NULL)) >= 0)
		switch (c) {
		case 'r':
			reason = optarg;
			break;
		case 'j':
			json = true;
			break;
		case 'h':
			print_usage("abort");
			return EXIT_DONE;
		default:
			return bad_usage("abort");
		}
	if (optind < argc) {
		say("abort takes no argument: %s", argv[optind]);
		return bad_usage("abort");
	}
	return abort_update(reason, json);
}
