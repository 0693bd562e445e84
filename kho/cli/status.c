/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <string.h>
#include <string.h>

#include "kho/client/format.h"
#include "kho/cli/ask.h"
#include "kho/cli/json.h"
#include "kho/cli/kernel-view.h"
#include "kho/cli/json-option.h"
#include "kho/cli/say.h"
#include "kho/cli/table.h"
#include "kho/cli/verbs.h"
#include "kho/client/manager.h"
#include "kho/client/waiting.h"

static void print_update(sd_json_variant *status)
{
	const char *release = json_string(status, "nextRelease");

	if (!json_has(status, "update"))
		return;
	printf("update        %s", json_string(status, "update"));
	if (json_has(status, "image"))
		printf(" to %s", json_string(status, "image"));
	if (*release)
		printf(" (%s)", release);
	if (strcmp(json_string(status, "state"), "restoring") == 0)
		printf(", being restored\n");
	else
		printf("%s\n",
		       json_boolean(status, "kexecLoaded") ? ", loaded" : ", not loaded yet");
}

static void print_progress(sd_json_variant *status)
{
	sd_json_variant *progress = sd_json_variant_by_key(status, "progress");
	_cleanup_(free_strv) char **waiting_for = NULL;
	const char *separator = ", waiting for ";

	if (!json_has(status, "progress"))
		return;
	printf("progress      %s", json_string(progress, "phase"));
	if (json_unsigned(progress, "total") > 0)
		printf(" %" PRIu64 " of %" PRIu64, json_unsigned(progress, "done"),
		       json_unsigned(progress, "total"));
	if (waiting_phrases(progress, &waiting_for) < 0)
		waiting_for = NULL;
	for (char **owner = waiting_for; owner && *owner; owner++, separator = ", ")
		printf("%s%s", separator, *owner);
	printf("\n");
}

static void print_regions(sd_json_variant *status)
{
	uint64_t n = json_unsigned(status, "regions"), unclaimed, lost;
	char size[FORMAT_SIZE_MAX];

	unclaimed = json_unsigned(status, "unclaimed");
	lost = json_unsigned(status, "lost");
	printf("regions       %" PRIu64 ", %s", n,
	       format_size(json_unsigned(status, "size"), size));
	if (unclaimed > 0)
		printf("; %" PRIu64 " %s for %s owner (kho list --unclaimed)", unclaimed,
		       plural(unclaimed, "waits", "wait"), plural(unclaimed, "its", "their"));
	printf("\n");
	if (lost > 0)
		printf("lost          %" PRIu64
		       " %s lost or damaged by the last update (kho report)\n",
		       lost, plural(lost, "region was", "regions were"));
}

static int print_participants(sd_json_variant *participants)
{
	_cleanup_table_ struct table *table = table_new("OWNER|>PID|REQUIRED|STATE");

	if (json_length(participants) == 0) {
		printf("participants  none\n");
		return 0;
	}
	for (size_t i = 0; i < json_length(participants); i++) {
		sd_json_variant *p = sd_json_variant_by_index(participants, i);

		table_cell(table, json_string(p, "owner"));
		table_cellf(table, "%" PRIu64, json_unsigned(p, "pid"));
		table_cell(table, json_boolean(p, "required") ? "yes" : "no");
		table_cell(table, json_string(p, "state"));
	}
	printf("\nparticipants\n");
	return table_print(table, "  ", stdout);
}

static int print_status(sd_json_variant *status)
{
	sd_json_variant *problems = json_array(status, "problems");
	int r;

	printf("khod          %s\n", json_string(status, "state"));
	printf("kernel        %s, KHO %s\n", json_string(status, "kernelRelease"),
	       json_string(status, "kho"));
	if (json_boolean(status, "luo"))
		printf("in place      yes, memory can stay where it is (LUO)\n");
	else
		printf("in place      no: %s\n", json_string(status, "luoReason"));
	print_regions(status);
	print_update(status);
	print_progress(status);
	r = print_participants(json_array(status, "participants"));
	if (json_length(problems) > 0)
		printf("\nproblems\n");
	for (size_t i = 0; i < json_length(problems); i++)
		printf("  %s\n", sd_json_variant_string(sd_json_variant_by_index(problems, i)));
	return r;
}

static int show_status(bool json)
{
	_cleanup_manager_ struct manager *manager = NULL;
	_cleanup_json_ sd_json_variant *status = NULL;
	int r;

	r = manager_new(&manager);
	if (r < 0) {
		say("out of memory");
		return EXIT_LOCAL;
	}
	manager_set_silent(manager, say_silence, NULL);
	r = manager_connect(manager);
	if (r >= 0)
		r = manager_call(manager, "Status", NULL, &status);
	if (r < 0) {
		/* What the kernel can do is worth knowing before khod is set up. */
		show_kernel(json, manager_message(manager));
		say("%s", manager_message(manager));
		return manager_exit_code(manager);
	}
	if (json) {
		json_print(status);
		return EXIT_DONE;
	}
	return print_status(status) < 0 ? EXIT_LOCAL : EXIT_DONE;
}

int verb_status(int argc, char *argv[])
{
	bool json;
	int code;

	if (!json_option_only(argc, argv, &json, &code))
		return code;
	return show_status(json);
}
