/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "kho/cli/say.h"
#include "kho/cli/verbs.h"
#include "kho/core/cleanup.h"

static const struct verb {
	const char *name;
	int (*run)(int argc, char *argv[]);
	const char *arguments;
	const char *purpose;
} verbs[] = {
	{"status", verb_status, "[--json]", "What khod and this kernel do and can do"},
	{"list", verb_list, "[--unclaimed] [--json] [NAME...]", "The regions that are kept"},
	{"tree", verb_tree, "[--kernel=in|out [BLOB]] [--raw | --json]",
	 "The handover tree, as khod holds it, or the kernel's own"},
	{"check", verb_check,
	 "[--entry=ID] [--initrd=FILE] [--command-line=WORDS] [--reuse-cmdline] [--json] [IMAGE...]",
	 "Whether memory survives the change to another kernel"},
	{"report", verb_report, "[--json]", "What the last update did to each region"},
	{"monitor", verb_monitor, "[--json]", "Follow what khod does, live"},
	{"wait", verb_wait, "[--timeout=SECONDS] [--json] [NAME...]",
	 "Wait until every required region is claimed"},
	{"put", verb_put, "[--replace] [--optional] [--json] NAME [FILE]",
	 "Keep what is read from FILE or standard input"},
	{"get", verb_get, "[--owner=OWNER] [--damaged] [--release | --drop] [--force] NAME",
	 "Write a region's content to standard output"},
	{"take", verb_take, "--owner=OWNER [--to=OWNER] [--json] NAME...",
	 "Make a region of an owner that is gone your own, or another's"},
	{"drop", verb_drop, "[--owner=OWNER] [--json] NAME... | --leftover=UPDATE",
	 "Keep a region no longer; forget a lost one"},
	{"run", verb_run,
	 "--region=NAME:SIZE... [--file=NAME:PATH...] [--freeze-signal=SIGNAL]\n"
	 "            [--damaged=stop|empty|use] [--optional] [--] COMMAND...",
	 "Run a program that knows nothing of all this, with regions that are kept"},
	{"abort", verb_abort, "[--reason=TEXT] [--json]", "Undo the update in progress"},
	{"help", verb_help, "[VERB]", "This, or how VERB is called"},
};

static const struct verb *verb_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

void print_usage(const char *name)
{
	const struct verb *verb = verb_find(name);

	printf("Usage: kho %s %s\n%s. See kho(8).\n", verb->name, verb->arguments, verb->purpose);
}

int bad_usage(const char *name)
{
	say("see kho help %s", name);
	return EXIT_LOCAL;
}

int verb_help(int argc, char *argv[])
{
	if (argc > 1) {
		if (!verb_find(argv[1])) {
			say("no such verb: %s (kho help lists them)", argv[1]);
			return EXIT_LOCAL;
		}
		print_usage(argv[1]);
		return EXIT_DONE;
	}
	printf("Usage: kho VERB [OPTION...] [ARGUMENT...]\n"
	       "Looks at and controls memory that is kept across a live update of the kernel.\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		printf("  %-8s  %s\n", verbs[i].name, verbs[i].purpose);
	printf("\nkho help VERB says how a verb is called; kho(8) says the rest.\n");
	return EXIT_DONE;
}

int main(int argc, char *argv[])
{
	_cleanup_free_ char *name = NULL;
	const struct verb *verb;

	setlocale(LC_ALL, "");
	if (argc < 2) {
		verb_help(1, argv);
		return EXIT_LOCAL;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		printf("kho (kho-tools) %s\n", PACKAGE_VERSION);
		return EXIT_DONE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return verb_help(1, argv);
	verb = verb_find(argv[1]);
	if (!verb) {
		say("no such verb: %s (kho help lists them)", argv[1]);
		return EXIT_LOCAL;
	}
	/* What getopt_long() complains with. */
	if (asprintf(&name, "kho %s", verb->name) < 0) {
		say("out of memory");
		return EXIT_LOCAL;
	}
	argv[1] = name;
	return verb->run(argc - 1, argv + 1);
}
