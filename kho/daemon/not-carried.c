/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/daemon/log.h"
#include "kho/daemon/monitor.h"
#include "kho/daemon/not-carried.h"

struct not_carried {
	const char *unit;
	const char *name;
	const char *reason;
};

static int note(struct manager *m, const struct not_carried *lost)
{
	struct handover *tree = m->registry.tree;
	int r = handover_add_problem(tree, "memory \"%s\" in the fd store of %s is not carried: %s",
				     lost->name, lost->unit, lost->reason);
	const char *line = "";

	if (r < 0)
		return r;
	for (char **p = tree->problems; *p; p++)
		line = *p;
	log_message(LOG_WARNING, MESSAGE_NOT_CARRIED,
		    &(struct log_about){.tree = tree, .owner = lost->unit, .region = lost->name},
		    "%s", line);
	monitor_event(m, &(struct monitor_event){
				 .event = "problem", .owner = lost->unit, .reason = line});
	return 0;
}

int not_carried_note(struct manager *m, sd_json_variant *array)
{
	static const sd_json_dispatch_field table[] = {
		{"unit", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct not_carried, unit), SD_JSON_MANDATORY},
		{"name", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct not_carried, name), SD_JSON_MANDATORY},
		{"reason", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct not_carried, reason), SD_JSON_MANDATORY},
		{}};

	for (size_t i = 0; array && i < sd_json_variant_elements(array); i++) {
		struct not_carried lost;
		int r = sd_json_dispatch(sd_json_variant_by_index(array, i), table,
					 SD_JSON_ALLOW_EXTENSIONS, &lost);

		if (r >= 0)
			r = note(m, &lost);
		if (r < 0)
			return r;
	}
	return 0;
}
