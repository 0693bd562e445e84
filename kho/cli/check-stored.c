/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "kho/cli/check-stored.h"

void check_stored_print(const struct stored_memories *stored)
{
	if (stored->n > 0)
		printf("\nmemory that units keep with PID 1, which khod does not hand over\n");
	for (size_t i = 0; i < stored->n; i++) {
		const struct stored_memory *memory = &stored->items[i];

		printf("  \"%s\" of %s: %s%s\n", memory->name, memory->unit,
		       memory->obstacle ? "will be lost: " : "",
		       memory->obstacle ? memory->obstacle
					: "goes along in an orderly shutdown, not with kexec --kho "
					  "-e");
	}
}

int check_stored_add_json(const struct stored_memories *stored, sd_json_variant **document)
{
	_cleanup_json_ sd_json_variant *array = NULL;
	int r = sd_json_variant_new_array(&array, NULL, 0);

	for (size_t i = 0; r >= 0 && i < stored->n; i++) {
		const struct stored_memory *memory = &stored->items[i];

		r = sd_json_variant_append_arraybo(
			&array, SD_JSON_BUILD_PAIR_STRING("unit", memory->unit),
			SD_JSON_BUILD_PAIR_STRING("name", memory->name),
			SD_JSON_BUILD_PAIR_CONDITION(!!memory->obstacle, "obstacle",
						     SD_JSON_BUILD_STRING(memory->obstacle)));
	}
	return r < 0 ? r : sd_json_variant_set_field(document, "fdStores", array);
}
