/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "kho/cli/chosen.h"
#include "kho/cli/say.h"

enum exit_code chosen_find(const char *entry, struct next_kernel *ret)
{
	_cleanup_(settings_done) struct settings settings = {};
	_cleanup_free_ char *message = NULL;
	int r = settings_read(&settings, &message);

	for (char **warning = settings.warnings; warning && *warning; warning++)
		say("warning: %s", *warning);
	if (r >= 0)
		r = next_kernel_find(&settings, entry, ret, &message);
	for (char **warning = ret->warnings; warning && *warning; warning++)
		say("warning: %s", *warning);
	if (r >= 0)
		return EXIT_DONE;
	say("%s", message ?: strerror(-r));
	return EXIT_LOCAL;
}

void chosen_print(const struct next_kernel *next)
{
	printf("next          %s: %s\n", next->image, next->why);
	for (char **initrd = next->initrds; initrd && *initrd; initrd++)
		printf("initrd        %s\n", *initrd);
}

int chosen_add_json(const struct next_kernel *next, sd_json_variant **document)
{
	_cleanup_json_ sd_json_variant *chosen = NULL;
	int r = sd_json_buildo(
		&chosen, SD_JSON_BUILD_PAIR_STRING("image", next->image),
		SD_JSON_BUILD_PAIR_CONDITION(!!next->entry, "entry",
					     SD_JSON_BUILD_STRING(next->entry)),
		SD_JSON_BUILD_PAIR_STRING("source", next->source),
		SD_JSON_BUILD_PAIR_STRING("why", next->why),
		SD_JSON_BUILD_PAIR_CONDITION(!!next->cmdline_from, "commandLineFrom",
					     SD_JSON_BUILD_STRING(next->cmdline_from)),
		SD_JSON_BUILD_PAIR_STRV("initrds", next->initrds));

	return r < 0 ? r : sd_json_variant_set_field(document, "chosen", chosen);
}
