/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "kexec/stored.h"
#include "kho/client/stored.h"

#define NO_SHUTDOWN "only an orderly shutdown hands it over, and kexec --kho -e makes none"
#define ORDERLY "systemctl start live-update.target"

static int add_json(sd_json_variant **array, const struct stored_memory *memory, const char *reason)
{
	return sd_json_variant_append_arraybo(array,
					      SD_JSON_BUILD_PAIR_STRING("unit", memory->unit),
					      SD_JSON_BUILD_PAIR_STRING("name", memory->name),
					      SD_JSON_BUILD_PAIR_STRING("reason", reason));
}

/* What is not known must not stop an update: services that use khod do not depend on PID 1. */
static int find(struct run *run, struct stored_memories *ret)
{
	int r = stored_memories_find(ret);

	if (r < 0 && r != -ENOMEM) {
		complain(run, EXIT_DONE,
			 "warning: PID 1 does not say what memory units keep in fd stores (%s): "
			 "see systemd-analyze fdstore UNIT",
			 strerror(-r));
		r = 0;
	}
	return r;
}

int stored_warn(struct run *run, sd_json_variant **ret)
{
	_cleanup_(stored_memories_done) struct stored_memories stored = {};
	int r = find(run, &stored);

	if (r >= 0)
		r = sd_json_variant_new_array(ret, NULL, 0);
	for (size_t i = 0; r >= 0 && i < stored.n; i++) {
		const struct stored_memory *memory = &stored.items[i];

		if (memory->obstacle) {
			complain(run, EXIT_DONE,
				 "warning: memory \"%s\" in the fd store of %s will be lost: %s",
				 memory->name, memory->unit, memory->obstacle);
			r = add_json(ret, memory, memory->obstacle);
		} else if (run->options->actions == ACTION_LOAD) {
			complain(
				run, EXIT_DONE,
				"note: memory \"%s\" in the fd store of %s goes along with " ORDERLY
				", not with kexec --kho -e",
				memory->name, memory->unit);
		}
	}
	return r;
}

enum exit_code stored_refuse(struct run *run, sd_json_variant **ret)
{
	_cleanup_(stored_memories_done) struct stored_memories stored = {};
	int r = find(run, &stored);

	if (r >= 0 && ret)
		r = sd_json_variant_new_array(ret, NULL, 0);
	for (size_t i = 0; r >= 0 && i < stored.n; i++) {
		const struct stored_memory *memory = &stored.items[i];

		/* No way of going down carries it, and Staged has told khod. */
		if (memory->obstacle)
			continue;
		if (!run->options->force)
			return complain(
				run, EXIT_REFUSED,
				"memory \"%s\" in the fd store of %s would be lost: " ORDERLY
				" takes it along, kexec --kho -e does not (--kho-force "
				"loses it)",
				memory->name, memory->unit);
		if (!ret)
			continue;
		complain(run, EXIT_DONE,
			 "warning: memory \"%s\" in the fd store of %s gets lost: forced",
			 memory->name, memory->unit);
		r = add_json(ret, memory, NO_SHUTDOWN);
	}
	return r < 0 ? complain(run, EXIT_LOCAL, "out of memory") : EXIT_DONE;
}
