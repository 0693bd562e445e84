/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <string.h>
#include <systemd/sd-json.h>

#include "kho/daemon/copies.h"
#include "kho/daemon/manager-methods.h"
#include "kho/daemon/manager-plan.h"
#include "kho/daemon/outgoing.h"
#include "kho/daemon/updater-private.h"
#include "kho/daemon/worker.h"

/* Nobody's update. */
#define PLAN_ID "0000000000000000"

/* A look at an update that does not happen. The fds are its own: regions may go meanwhile. */
struct plan {
	struct manager *m;
	sd_varlink *link;
	struct copies *copies;
	struct outgoing *outgoing;
};

static struct plan *plan_free(struct plan *plan)
{
	for (size_t i = 0; plan->copies && i < plan->copies->n_items; i++)
		safe_close(plan->copies->items[i].fd);
	for (size_t i = 0; plan->outgoing && i < plan->outgoing->n_items; i++)
		safe_close(plan->outgoing->items[i].fd);
	copies_free(plan->copies);
	outgoing_free(plan->outgoing);
	sd_varlink_unref(plan->link);
	free(plan);
	return NULL;
}
DEFINE_CLEANUP_FUNC(struct plan *, plan_free)

static void own_fds(struct plan *plan)
{
	for (size_t i = 0; i < plan->copies->n_items; i++) {
		struct carrier_item *item = &plan->copies->items[i];

		item->fd = fcntl(item->fd, F_DUPFD_CLOEXEC, 3);
	}
	for (size_t i = 0; i < plan->outgoing->n_items; i++) {
		struct transport_item *item = &plan->outgoing->items[i];

		item->fd = fcntl(item->fd, F_DUPFD_CLOEXEC, 3);
	}
}

/* What is collected before fds are its own must not be closed with it. */
static int collect(struct plan *plan)
{
	struct registry *registry = &plan->m->registry;
	int r;

	plan->outgoing =
		outgoing_new(transport_for(plan->m, plan->copies), PLAN_ID, registry->tree_fd);
	r = plan->outgoing ? copies_collect(plan->copies, registry) : -ENOMEM;
	if (r >= 0)
		r = outgoing_collect(plan->outgoing, registry, plan->copies);
	own_fds(plan);
	return r;
}

static int check_on_thread(void *data)
{
	struct plan *plan = data;
	int r = outgoing_check(plan->outgoing);

	return r < 0 ? r : copies_check(plan->copies);
}

static int add_region(sd_json_variant **array, const struct plan *plan, uint32_t id,
		      const char *transport)
{
	const struct region *region = handover_find_id(plan->m->registry.tree, id);

	if (!region)
		return 0;
	return sd_json_variant_append_arraybo(
		array, SD_JSON_BUILD_PAIR_STRING("name", region->name),
		SD_JSON_BUILD_PAIR_STRING("owner", region->owner),
		SD_JSON_BUILD_PAIR_UNSIGNED("size", region->size),
		SD_JSON_BUILD_PAIR_BOOLEAN("required", region->required),
		SD_JSON_BUILD_PAIR_CONDITION(!!transport, "transport",
					     SD_JSON_BUILD_STRING(transport)));
}

static int regions_of_plan(const struct plan *plan, sd_json_variant **ret)
{
	const struct copies *c = plan->copies;
	const struct outgoing *o = plan->outgoing;
	int r = sd_json_variant_new_array(ret, NULL, 0);

	for (size_t i = 1; r >= 0 && i < o->n_items; i++)
		r = add_region(ret, plan, o->about[i].id, o->transport->name);
	for (size_t i = 0; r >= 0 && i < c->n_items; i++)
		r = add_region(ret, plan, c->items[i].id,
			       c->carrier && !c->about[i].reason ? c->carrier->name : NULL);
	return r;
}

static const char *problem_of(const struct plan *plan, int result)
{
	if (result >= 0)
		return NULL;
	if (plan->outgoing->message)
		return plan->outgoing->message;
	return plan->copies->message ? plan->copies->message : strerror(-result);
}

static void on_checked(int result, void *data)
{
	_cleanup_(plan_freep) struct plan *plan = data;
	const struct copies *c = plan->copies;
	const char *problem = problem_of(plan, result);
	sd_json_variant *regions = NULL;
	uint64_t bytes;
	size_t n;
	int r = regions_of_plan(plan, &regions);

	n = copies_count(c, &bytes);
	if (r < 0)
		(void)sd_varlink_error_errno(plan->link, r);
	else
		(void)sd_varlink_replybo(
			plan->link,
			SD_JSON_BUILD_PAIR_STRING("transport", plan->outgoing->transport->name),
			SD_JSON_BUILD_PAIR_CONDITION(
				!!c->carrier, "carrier",
				SD_JSON_BUILD_STRING(c->carrier ? c->carrier->name : "")),
			SD_JSON_BUILD_PAIR_VARIANT("regions", regions),
			SD_JSON_BUILD_PAIR_UNSIGNED("copies", n),
			SD_JSON_BUILD_PAIR_UNSIGNED("copySize", bytes),
			SD_JSON_BUILD_PAIR_UNSIGNED("copySizeMax", c->bytes_max),
			SD_JSON_BUILD_PAIR_UNSIGNED("copyUSec", c->usec_estimated),
			SD_JSON_BUILD_PAIR_CONDITION(!!c->where, "spool",
						     SD_JSON_BUILD_STRING(c->where)),
			SD_JSON_BUILD_PAIR_CONDITION(!!problem, "problem",
						     SD_JSON_BUILD_STRING(problem)));
	sd_json_variant_unref(regions);
}

static int plan_start(struct manager *m, sd_varlink *link, const struct copy_request *request)
{
	_cleanup_(plan_freep) struct plan *plan = calloc(1, sizeof(*plan));
	int r;

	if (!plan)
		return -ENOMEM;
	plan->m = m;
	plan->link = sd_varlink_ref(link);
	r = copies_new(PLAN_ID, request, m->kernel.luo || m->transport, &plan->copies);
	if (r >= 0)
		r = collect(plan);
	if (r >= 0)
		r = work_start(m->event, check_on_thread, on_checked, plan);
	if (r >= 0)
		TAKE_PTR(plan);
	return r;
}

int manager_plan_method(sd_varlink *link, sd_json_variant *parameters,
			sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field table[] = {
		{"copy", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_tristate,
		 offsetof(struct copy_request, copy), SD_JSON_NULLABLE},
		{"transport", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct copy_request, transport), SD_JSON_NULLABLE},
		{"initrd", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_tristate,
		 offsetof(struct copy_request, initrd), SD_JSON_NULLABLE},
		{"spool", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct copy_request, spool), SD_JSON_NULLABLE},
		{}};
	struct copy_request request = {};
	struct manager *m = userdata;
	const char *fault;
	int r;

	if (manager_is_oneway(flags))
		return 0;
	r = sd_varlink_dispatch(link, parameters, table, &request);
	if (r != 0)
		return r;
	fault = copy_request_fault(&request);
	if (fault)
		return sd_varlink_error_invalid_parameter_name(link, fault);
	if (m->update->state != UPDATE_IDLE)
		return manager_update_in_progress(link, m);
	return plan_start(m, link, &request);
}
