/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kexec/plan.h"

#include <inttypes.h>
#include <string.h>

#include "kho/client/format.h"

struct plan {
	const char *carrier;
	const char *spool;
	const char *problem;
	uint64_t copies;
	uint64_t copy_size;
	uint64_t copy_size_max;
	uint64_t copy_usec;
};

struct planned {
	const char *name;
	const char *owner;
	const char *transport;
	uint64_t size;
};

/* All strings are the reply's. */
static int read_plan(sd_json_variant *reply, struct plan *ret)
{
	static const sd_json_dispatch_field table[] = {
		{"carrier", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct plan, carrier), SD_JSON_NULLABLE},
		{"spool", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct plan, spool), SD_JSON_NULLABLE},
		{"problem", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct plan, problem), SD_JSON_NULLABLE},
		{"copies", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64,
		 offsetof(struct plan, copies), SD_JSON_MANDATORY},
		{"copySize", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64,
		 offsetof(struct plan, copy_size), SD_JSON_MANDATORY},
		{"copySizeMax", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64,
		 offsetof(struct plan, copy_size_max), SD_JSON_MANDATORY},
		{"copyUSec", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64,
		 offsetof(struct plan, copy_usec), SD_JSON_MANDATORY},
		{}};

	return sd_json_dispatch(reply, table, SD_JSON_ALLOW_EXTENSIONS, ret);
}

static int read_region(sd_json_variant *region, struct planned *ret)
{
	static const sd_json_dispatch_field table[] = {
		{"name", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct planned, name), SD_JSON_MANDATORY},
		{"owner", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct planned, owner), SD_JSON_MANDATORY},
		{"transport", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct planned, transport), SD_JSON_NULLABLE},
		{"size", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64,
		 offsetof(struct planned, size), SD_JSON_MANDATORY},
		{}};

	return sd_json_dispatch(region, table, SD_JSON_ALLOW_EXTENSIONS, ret);
}

static const char *way(const struct planned *region)
{
	if (!region->transport)
		return "nothing";
	return strcmp(region->transport, "luo") == 0 ? "in place" : region->transport;
}

static int print_regions(sd_json_variant *regions)
{
	char size[FORMAT_SIZE_MAX];

	for (size_t i = 0; i < sd_json_variant_elements(regions); i++) {
		struct planned region = {};

		if (read_region(sd_json_variant_by_index(regions, i), &region) < 0)
			return -EBADMSG;
		printf("  %-8s  %10s  \"%s\" of %s\n", way(&region), format_size(region.size, size),
		       region.name, region.owner);
	}
	return 0;
}

static void print_copies(const struct plan *plan)
{
	char size[FORMAT_SIZE_MAX], most[FORMAT_SIZE_MAX], duration[FORMAT_DURATION_MAX];

	if (plan->copies == 0 || !plan->carrier)
		return;
	printf("by copy (%s): %" PRIu64 " %s, %s, of which at most %s are copied, in about %s\n",
	       plan->carrier, plan->copies, plural(plan->copies, "region", "regions"),
	       format_size(plan->copy_size, size), format_size(plan->copy_size_max, most),
	       format_duration(plan->copy_usec, duration));
	if (strcmp(plan->carrier, "spool") == 0 && plan->spool)
		printf("to %s\n", plan->spool);
}

static enum exit_code show_plan(struct run *run, const struct image *image, sd_json_variant *reply)
{
	sd_json_variant *regions = sd_json_variant_by_key(reply, "regions");
	struct plan plan = {};

	if (read_plan(reply, &plan) < 0 || !regions || !sd_json_variant_is_array(regions))
		return complain(run, EXIT_LOCAL, "khod's plan is not what it promises");
	printf("plan for %s: %zu %s\n", image->release ?: image->path,
	       sd_json_variant_elements(regions),
	       plural(sd_json_variant_elements(regions), "region", "regions"));
	if (print_regions(regions) < 0)
		return complain(run, EXIT_LOCAL, "khod's plan is not what it promises");
	print_copies(&plan);
	if (plan.problem)
		return complain(run, EXIT_REFUSED, "it would be refused: %s", plan.problem);
	return EXIT_DONE;
}

enum exit_code run_plan(struct run *run, const struct image *image)
{
	_cleanup_(sd_json_variant_unrefp) sd_json_variant *parameters = NULL, *reply = NULL;
	const struct kexec_options *o = run->options;
	int r;

	r = sd_json_buildo(
		&parameters,
		SD_JSON_BUILD_PAIR_CONDITION(run->by_copy, "copy", SD_JSON_BUILD_BOOLEAN(true)),
		SD_JSON_BUILD_PAIR_CONDITION(run->may_archive, "initrd",
					     SD_JSON_BUILD_BOOLEAN(true)),
		SD_JSON_BUILD_PAIR_CONDITION(!!o->transport, "transport",
					     SD_JSON_BUILD_STRING(o->transport)),
		SD_JSON_BUILD_PAIR_CONDITION(!!o->spool, "spool", SD_JSON_BUILD_STRING(o->spool)));
	if (r < 0)
		return complain(run, EXIT_LOCAL, "out of memory");
	r = manager_call(run->manager, "Plan", parameters, &reply);
	if (r == -EINTR)
		return complain(run, EXIT_LOCAL, "interrupted");
	if (r < 0)
		return complain_manager(run);
	return show_plan(run, image, reply);
}
