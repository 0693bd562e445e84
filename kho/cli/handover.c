/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "kho/cli/handover.h"
#include "kho/cli/say.h"

static enum exit_code exit_code_of(int error)
{
	switch (error) {
	case -ECONNREFUSED:
	case -ETIME:
	case -EACCES:
	case -EPROTO:
		return EXIT_UNREACHABLE;
	case -ENODATA:
	case -EUCLEAN:
		return EXIT_LOST;
	case -ENOMEM:
		return EXIT_LOCAL;
	default:
		return EXIT_REFUSED;
	}
}

enum exit_code handover_open(struct kho **ret)
{
	int r = kho_connect(ret);

	if (r >= 0)
		return EXIT_DONE;
	say("%s", kho_strerror(r));
	return exit_code_of(r);
}

enum exit_code handover_failed(struct kho *kho, int error)
{
	say("%s", kho_error_message(kho));
	return exit_code_of(error);
}

static const char *check_name(enum kho_check check)
{
	static const char *const names[] = {
		[KHO_CHECK_NEW] = "new",
		[KHO_CHECK_VERIFIED] = "verified",
		[KHO_CHECK_UNCHECKED] = "unchecked",
		[KHO_CHECK_DAMAGED] = "damaged",
		[KHO_CHECK_LOST] = "lost",
	};

	return (size_t)check < ARRAY_SIZE(names) ? names[check] : "unknown";
}

int handover_region_json(const struct kho_region *region, sd_json_variant **ret)
{
	return sd_json_buildo(ret, SD_JSON_BUILD_PAIR_STRING("name", region->name),
			      SD_JSON_BUILD_PAIR_STRING("owner", region->owner),
			      SD_JSON_BUILD_PAIR_UNSIGNED("size", region->size),
			      SD_JSON_BUILD_PAIR_STRING("memdesc", region->memdesc),
			      SD_JSON_BUILD_PAIR_BOOLEAN("required", region->required),
			      SD_JSON_BUILD_PAIR_BOOLEAN("claimed", region->claimed),
			      SD_JSON_BUILD_PAIR_STRING("check", check_name(region->check)),
			      SD_JSON_BUILD_PAIR_CONDITION(!!region->reason, "reason",
							   SD_JSON_BUILD_STRING(region->reason)));
}

enum exit_code handover_list(struct kho *kho, sd_json_variant **ret)
{
	_cleanup_json_ sd_json_variant *list = NULL;
	const struct kho_region *const *regions;
	int r, n;

	n = kho_list(kho, &regions);
	if (n < 0)
		return handover_failed(kho, n);
	r = sd_json_variant_new_array(&list, NULL, 0);
	for (int i = 0; r >= 0 && i < n; i++) {
		_cleanup_json_ sd_json_variant *region = NULL;

		r = handover_region_json(regions[i], &region);
		if (r >= 0)
			r = sd_json_variant_append_array(&list, region);
	}
	if (r < 0) {
		say("can't list regions: %s", strerror(-r));
		return EXIT_LOCAL;
	}
	*ret = TAKE_PTR(list);
	return EXIT_DONE;
}
