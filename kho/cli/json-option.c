/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <stddef.h>

#include "kho/cli/json-option.h"
#include "kho/cli/say.h"
#include "kho/cli/verbs.h"

bool json_option_only(int argc, char *argv[], bool *ret_json, int *ret_code)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{},
	};
	const char *verb = argv[0];
	int c;

	*ret_json = false;
	while ((c = getopt_long(argc, argv, "jh", options, NULL)) >= 0)
		switch (c) {
		case 'j':
			*ret_json = true;
			break;
		case 'h':
			print_usage(verb);
			*ret_code = EXIT_DONE;
			return false;
		default:
			*ret_code = bad_usage(verb);
			return false;
		}
	if (optind == argc)
		return true;
	say("%s takes no argument: %s", verb, argv[optind]);
	*ret_code = bad_usage(verb);
	return false;
}
