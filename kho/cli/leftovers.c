/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/cli/leftovers.h"

#include <inttypes.h>
#include <unistd.h>

#include "kho/cli/ask.h"
#include "kho/client/format.h"

int leftovers_fetch(sd_json_variant **ret)
{
	_cleanup_json_ sd_json_variant *reply = NULL;

	*ret = NULL;
	if (geteuid() != 0 || ask_manager("Leftovers", NULL, &reply, NULL) != EXIT_DONE)
		return 0;
	*ret = sd_json_variant_ref(json_array(reply, "leftovers"));
	return 0;
}

void leftovers_print(sd_json_variant *leftovers)
{
	for (size_t i = 0; i < json_length(leftovers); i++) {
		sd_json_variant *leftover = sd_json_variant_by_index(leftovers, i);
		uint64_t regions = json_unsigned(leftover, "regions");
		char size[FORMAT_SIZE_MAX], time[FORMAT_TIME_MAX];

		if (i == 0)
			printf("\n");
		printf("left over in %s: %s copies of update %s, %" PRIu64
		       " %s, %s, of %s (kho drop "
		       "--leftover=%s)\n",
		       json_string(leftover, "spool"),
		       json_boolean(leftover, "complete") ? "unclaimed" : "incomplete",
		       json_string(leftover, "update"), regions,
		       plural(regions, "region", "regions"),
		       format_size(json_unsigned(leftover, "size"), size),
		       format_time(json_unsigned(leftover, "realtimeUSec"), time),
		       json_string(leftover, "update"));
	}
}

enum exit_code leftovers_drop(const char *update)
{
	_cleanup_json_ sd_json_variant *parameters = NULL;

	if (sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("update", update)) < 0)
		return EXIT_LOCAL;
	return ask_manager("DropLeftover", parameters, NULL, NULL);
}
