/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <string.h>

#include "kho/cli/check-json.h"
#include "kho/cli/check-stored.h"
#include "kho/cli/check-view.h"
#include "kho/cli/chosen.h"
#include "kho/cli/say.h"
#include "kho/cli/verbs.h"

struct images {
	struct checked *checked;
	size_t n_checked;
	bool failed; /* one could not be read */
};

static void images_done(struct images *images)
{
	for (size_t i = 0; i < images->n_checked; i++)
		checked_done(&images->checked[i]);
	free(images->checked);
}

/* What can't be read is said, and does not keep the others from being shown. */
static int check_all(const struct check *check, const struct check_options *options,
		     char *const *paths, int n_paths, struct images *images)
{
	images->checked = calloc((size_t)n_paths, sizeof(*images->checked));
	if (!images->checked)
		return -ENOMEM;
	for (int i = 0; i < n_paths; i++) {
		_cleanup_free_ char *message = NULL;
		int r = check_image(check, paths[i], options, &images->checked[images->n_checked],
				    &message);

		if (r == -ENOMEM)
			return r;
		if (r < 0) {
			say("%s", message ?: strerror(-r));
			images->failed = true;
		} else {
			images->n_checked++;
		}
	}
	return 0;
}

static int show_json(const struct check *check, const struct images *images,
		     const struct next_kernel *chosen, const struct stored_memories *stored)
{
	_cleanup_json_ sd_json_variant *document = NULL;
	int r = check_to_json(check, images->checked, images->n_checked, &document);

	if (r >= 0 && chosen)
		r = chosen_add_json(chosen, &document);
	if (r >= 0)
		r = check_stored_add_json(stored, &document);
	if (r >= 0)
		json_print(document);
	return r;
}

static int show(const struct check *check, const struct images *images,
		const struct next_kernel *chosen, bool table, bool json)
{
	_cleanup_(stored_memories_done) struct stored_memories stored = {};
	int r = stored_memories_find(&stored);

	if (r < 0 && r != -ENOMEM)
		say("PID 1 does not say what units keep in fd stores: %s", strerror(-r));
	if (json)
		return show_json(check, images, chosen, &stored);
	if (images->n_checked == 0)
		return 0;
	if (chosen)
		chosen_print(chosen);
	r = table ? check_view_print_table(images->checked, images->n_checked)
		  : check_view_print(check, images->checked);
	if (r >= 0)
		check_stored_print(&stored);
	return r;
}

/* The worst of them. */
static enum exit_code exit_code_of(const struct images *images)
{
	static const enum exit_code codes[] = {
		[VERDICT_IN_PLACE] = EXIT_DONE,
		[VERDICT_UNKNOWN] = EXIT_UNKNOWN,
		[VERDICT_COPY] = EXIT_COPY,
		[VERDICT_NO] = EXIT_REFUSED,
	};
	enum verdict_kind worst = VERDICT_IN_PLACE;

	for (size_t i = 0; i < images->n_checked; i++)
		if (images->checked[i].verdict->kind > worst)
			worst = images->checked[i].verdict->kind;
	return images->failed ? EXIT_LOCAL : codes[worst];
}

static enum exit_code check_and_show(const struct check_options *options, char *const *paths,
				     int n_paths, const struct next_kernel *chosen, bool json)
{
	_cleanup_(check_done) struct check check = {};
	_cleanup_(images_done) struct images images = {};
	int r;

	r = check_begin(&check);
	if (r >= 0)
		r = check_all(&check, options, paths, n_paths, &images);
	if (r >= 0)
		r = show(&check, &images, chosen, n_paths > 1, json);
	if (r < 0) {
		say("can't check: %s", strerror(-r));
		return EXIT_LOCAL;
	}
	return exit_code_of(&images);
}

/* What the options do not say is the chosen kernel's. */
static enum exit_code check_chosen(const char *entry, struct check_options *options, bool json)
{
	_cleanup_(next_kernel_done) struct next_kernel next = {};
	enum exit_code r;

	if (entry && strcmp(entry, "help") == 0)
		return next_kernel_print_entries(stdout) < 0 ? EXIT_LOCAL : EXIT_DONE;
	r = chosen_find(entry, &next);
	if (r != EXIT_DONE)
		return r;
	if (!options->initrd)
		options->initrds = next.initrds;
	if (!options->command_line && !options->reuse_cmdline)
		options->command_line = next.cmdline;
	return check_and_show(options, &next.image, 1, &next, json);
}

int verb_check(int argc, char *argv[])
{
	static const struct option options[] = {
		{"entry", required_argument, NULL, 'e'},
		{"initrd", required_argument, NULL, 'i'},
		{"command-line", required_argument, NULL, 'c'},
		{"append", required_argument, NULL, 'c'},
		{"reuse-cmdline", no_argument, NULL, 'r'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{},
	};
	struct check_options wanted = {.reuse_by_default = true};
	const char *entry = NULL;
	bool json = false;
	int c;

	while ((c = getopt_long(argc, argv, "jh", options, NULL)) >= 0)
		switch (c) {
		case 'e':
			entry = optarg;
			break;
		case 'i':
			wanted.initrd = optarg;
			break;
		case 'c':
			wanted.command_line = optarg;
			break;
		case 'r':
			wanted.reuse_cmdline = true;
			break;
		case 'j':
			json = true;
			break;
		case 'h':
			print_usage("check");
			return EXIT_DONE;
		default:
			return bad_usage("check");
		}
	if (optind == argc)
		return check_chosen(entry, &wanted, json);
	if (entry) {
		say("--entry=%s names a kernel already, and %s is another one", entry,
		    argv[optind]);
		return bad_usage("check");
	}
	return check_and_show(&wanted, argv + optind, argc - optind, NULL, json);
}
