/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>

#include "kho/cli/handover.h"
#include "kho/cli/leftovers.h"
#include "kho/cli/owner.h"
#include "kho/cli/say.h"
#include "kho/cli/verbs.h"

struct drop {
	const char *owner; /* NULL: the caller itself */
	char *const *names;
	bool json;
};

static enum exit_code drop_region(const struct drop *drop, struct kho *kho, const char *name)
{
	int r;

	if (drop->owner)
		return owner_drop(drop->owner, name);
	r = kho_unregister(kho, name);
	return r < 0 ? handover_failed(kho, r) : EXIT_DONE;
}

static enum exit_code drop_regions(const struct drop *drop)
{
	_cleanup_json_ sd_json_variant *dropped = NULL, *document = NULL;
	_cleanup_kho_ struct kho *kho = NULL;
	enum exit_code code = EXIT_DONE, failed;
	int r;

	if (!drop->owner)
		code = handover_open(&kho);
	if (code != EXIT_DONE)
		return code;
	r = sd_json_variant_new_array(&dropped, NULL, 0);
	for (char *const *name = drop->names; r >= 0 && *name; name++) {
		failed = drop_region(drop, kho, *name);
		if (failed != EXIT_DONE) {
			code = code == EXIT_DONE ? failed : code;
			continue;
		}
		if (!drop->json)
			printf("dropped %s\n", *name);
		r = sd_json_variant_append_arrayb(&dropped, SD_JSON_BUILD_STRING(*name));
	}
	if (r >= 0 && drop->json)
		r = sd_json_buildo(&document, SD_JSON_BUILD_PAIR_VARIANT("dropped", dropped));
	if (document)
		json_print(document);
	return r < 0 ? EXIT_LOCAL : code;
}

int verb_drop(int argc, char *argv[])
{
	static const struct option options[] = {
		{"owner", required_argument, NULL, 'o'},
		{"leftover", required_argument, NULL, 'l'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{},
	};
	const char *leftover = NULL;
	struct drop drop = {};
	int c;

	while ((c = getopt_long(argc, argv, "o:jh", options, NULL)) >= 0)
		switch (c) {
		case 'o':
			drop.owner = optarg;
			break;
		case 'l':
			leftover = optarg;
			break;
		case 'j':
			drop.json = true;
			break;
		case 'h':
			print_usage("drop");
			return EXIT_DONE;
		default:
			return bad_usage("drop");
		}
	if (leftover && (optind < argc || drop.owner)) {
		say("--leftover goes alone");
		return bad_usage("drop");
	}
	if (leftover)
		return leftovers_drop(leftover);
	if (optind == argc) {
		say("drop takes the NAMEs of regions");
		return bad_usage("drop");
	}
	drop.names = argv + optind;
	return drop_regions(&drop);
}
