/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <sys/mman.h>
#include <systemd/sd-json.h>

#include "kho/daemon/barrier.h"
#include "kho/daemon/claims.h"
#include "kho/daemon/clock.h"
#include "kho/daemon/execution.h"
#include "kho/daemon/log.h"
#include "kho/daemon/manager-leftovers.h"
#include "kho/daemon/manager-methods.h"
#include "kho/daemon/manager-plan.h"
#include "kho/daemon/not-carried.h"
#include "kho/daemon/manager-regions.h"
#include "kho/daemon/monitor.h"
#include "kho/daemon/peers.h"
#include "kho/daemon/region-json.h"
#include "kho/daemon/report.h"
#include "kho/daemon/restore.h"
#include "kho/daemon/shutdown.h"
#include "kho/daemon/updater.h"
#include "kho/daemon/varlink-io.kho.Manager.h"

#define NAME_IN_MANAGER(name) "io.kho.Manager." name
#define DIGEST_SIZE_MAX_DEFAULT (UINT64_C(256) << 20)

bool manager_is_oneway(sd_varlink_method_flags_t flags)
{
	if (flags & SD_VARLINK_METHOD_ONEWAY)
		log_warning("An operator's program makes oneway calls, which are not carried out");
	return flags & SD_VARLINK_METHOD_ONEWAY;
}

int manager_update_in_progress(sd_varlink *link, const struct manager *m)
{
	const struct handover *tree = m->registry.tree;
	const char *state = update_state_to_string(m->update->state);
	_cleanup_free_ char *message = NULL;
	int r;

	if (m->update->state == UPDATE_IDLE)
		r = asprintf(&message, "no update is staged: kexec --kho -l KERNEL first");
	else if (m->update->state == UPDATE_RESTORING)
		r = asprintf(&message,
			     "regions of the last update are still being restored; kho status "
			     "says what stands in the way");
	else
		r = asprintf(&message,
			     "update %s is %s already; wait for it, or end it with "
			     "kexec --kho -u",
			     tree->update_id, state);
	if (r < 0)
		return -ENOMEM;
	return sd_varlink_errorbo(
		link, NAME_IN_MANAGER("UpdateInProgress"),
		SD_JSON_BUILD_PAIR_CONDITION(!!tree->update_id, "update",
					     SD_JSON_BUILD_STRING(tree->update_id)),
		SD_JSON_BUILD_PAIR_STRING("state", state),
		SD_JSON_BUILD_PAIR_STRING("message", message));
}

static int no_update(sd_varlink *link, const char *update)
{
	_cleanup_free_ char *message = NULL;

	if (asprintf(&message, "no update %s is in progress", update ? update : "") < 0)
		return -ENOMEM;
	return sd_varlink_errorbo(link, NAME_IN_MANAGER("NoUpdate"),
				  SD_JSON_BUILD_PAIR_STRING("message", message));
}

struct counts {
	uint64_t regions, bytes, unclaimed, lost;
};

static struct counts count_regions(const struct handover *tree)
{
	struct counts c = {};

	for (size_t i = 0; i < tree->n_regions; i++) {
		const struct region *region = tree->regions[i];

		c.lost += region_is_hurt(region);
		c.unclaimed += region_is_unclaimed(region);
		if (region->check == REGION_LOST)
			continue;
		c.regions++;
		c.bytes += region->size;
	}
	return c;
}

static int problems_to_json(const struct manager *m, sd_json_variant **ret)
{
	const char *restore = restore_problem(m);
	int r = sd_json_variant_new_array(ret, NULL, 0);

	if (r >= 0 && restore)
		r = sd_json_variant_append_arrayb(ret, SD_JSON_BUILD_STRING(restore));
	if (r >= 0 && !m->kernel.luo && m->kernel.luo_reason)
		r = sd_json_variant_append_arrayb(ret, SD_JSON_BUILD_STRING(m->kernel.luo_reason));
	return r;
}

static int method_status(sd_varlink *link, sd_json_variant *parameters,
			 sd_varlink_method_flags_t flags, void *userdata)
{
	struct manager *m = userdata;
	const struct handover *tree = m->registry.tree;
	sd_json_variant *participants = NULL, *progress = NULL, *problems = NULL;
	struct counts c = count_regions(tree);
	bool current = updater_is_current(m, NULL) >= 0;
	int r;

	if (manager_is_oneway(flags))
		return 0;
	r = sd_varlink_dispatch(link, parameters, NULL, NULL);
	if (r != 0)
		return r;
	r = barrier_participants(m, false, &participants);
	if (r >= 0)
		r = updater_progress(m, &progress);
	if (r >= 0)
		r = problems_to_json(m, &problems);
	if (r >= 0)
		execution_note_status(m, link);
	if (r >= 0)
		r = sd_varlink_replybo(
			link,
			SD_JSON_BUILD_PAIR_STRING("state",
						  update_state_to_string(m->update->state)),
			SD_JSON_BUILD_PAIR_CONDITION(!!tree->update_id, "update",
						     SD_JSON_BUILD_STRING(tree->update_id)),
			SD_JSON_BUILD_PAIR_STRING("kernelRelease", m->kernel.release),
			SD_JSON_BUILD_PAIR_STRING("kho", kho_generation_name(m->kernel.generation)),
			SD_JSON_BUILD_PAIR_BOOLEAN("luo", m->kernel.luo),
			SD_JSON_BUILD_PAIR_CONDITION(!m->kernel.luo && m->kernel.luo_reason,
						     "luoReason",
						     SD_JSON_BUILD_STRING(m->kernel.luo_reason)),
			SD_JSON_BUILD_PAIR_UNSIGNED("regions", c.regions),
			SD_JSON_BUILD_PAIR_UNSIGNED("size", c.bytes),
			SD_JSON_BUILD_PAIR_UNSIGNED("unclaimed", m->restorer ? 0 : c.unclaimed),
			SD_JSON_BUILD_PAIR_UNSIGNED("lost", c.lost),
			SD_JSON_BUILD_PAIR_VARIANT("participants", participants),
			SD_JSON_BUILD_PAIR_CONDITION(current && tree->image, "image",
						     SD_JSON_BUILD_STRING(tree->image)),
			SD_JSON_BUILD_PAIR_CONDITION(current && tree->next_release, "nextRelease",
						     SD_JSON_BUILD_STRING(tree->next_release)),
			SD_JSON_BUILD_PAIR_BOOLEAN("kexecLoaded", kernel_kexec_loaded() > 0),
			SD_JSON_BUILD_PAIR_CONDITION(!!progress, "progress",
						     SD_JSON_BUILD_VARIANT(progress)),
			SD_JSON_BUILD_PAIR_VARIANT("problems", problems));
	sd_json_variant_unref(participants);
	sd_json_variant_unref(progress);
	sd_json_variant_unref(problems);
	return r;
}

static int method_list(sd_varlink *link, sd_json_variant *parameters,
		       sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field table[] = {{"unclaimed", SD_JSON_VARIANT_BOOLEAN,
							sd_json_dispatch_tristate, 0,
							SD_JSON_NULLABLE},
						       {}};
	struct manager *m = userdata;
	sd_json_variant *regions = NULL;
	int unclaimed = false, r;

	if (manager_is_oneway(flags))
		return 0;
	r = sd_varlink_dispatch(link, parameters, table, &unclaimed);
	if (r != 0)
		return r;
	r = regions_to_json(m->registry.tree, unclaimed > 0 ? region_is_unclaimed : NULL, &regions);
	if (r >= 0)
		r = sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_VARIANT("regions", regions));
	sd_json_variant_unref(regions);
	return r;
}

static int method_prepare(sd_varlink *link, sd_json_variant *parameters,
			  sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field table[] = {
		{"image", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct update_request, image), SD_JSON_MANDATORY},
		{"nextRelease", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct update_request, next_release), SD_JSON_NULLABLE},
		{"digestSizeMax", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64,
		 offsetof(struct update_request, digest_size_max), 0},
		{"timeoutUSec", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64,
		 offsetof(struct update_request, timeout_usec), 0},
		{"forced", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_tristate,
		 offsetof(struct update_request, forced), SD_JSON_NULLABLE},
		{"copy", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_tristate,
		 offsetof(struct update_request, copy.copy), SD_JSON_NULLABLE},
		{"transport", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct update_request, copy.transport), SD_JSON_NULLABLE},
		{"initrd", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_tristate,
		 offsetof(struct update_request, copy.initrd), SD_JSON_NULLABLE},
		{"spool", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct update_request, copy.spool), SD_JSON_NULLABLE},
		{}};
	struct update_request request = {.digest_size_max = DIGEST_SIZE_MAX_DEFAULT,
					 .timeout_usec = UPDATE_TIMEOUT_USEC};
	struct manager *m = userdata;
	const char *fault;
	int r;

	if (manager_is_oneway(flags))
		return 0;
	r = sd_varlink_dispatch(link, parameters, table, &request);
	if (r != 0)
		return r;
	fault = copy_request_fault(&request.copy);
	if (fault)
		return sd_varlink_error_invalid_parameter_name(link, fault);
	r = updater_prepare(m, link, &request, flags & SD_VARLINK_METHOD_MORE);
	return r == -EBUSY ? manager_update_in_progress(link, m) : r;
}

static int dispatch_update(sd_varlink *link, sd_json_variant *parameters, const char **ret)
{
	static const sd_json_dispatch_field table[] = {{"update", SD_JSON_VARIANT_STRING,
							sd_json_dispatch_const_string, 0,
							SD_JSON_MANDATORY},
						       {}};

	return sd_varlink_dispatch(link, parameters, table, ret);
}

struct staged_parameters {
	const char *update;
	sd_json_variant *not_carried; /* borrowed */
};

static int method_staged(sd_varlink *link, sd_json_variant *parameters,
			 sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field table[] = {
		{"update", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct staged_parameters, update), SD_JSON_MANDATORY},
		{"notCarried", SD_JSON_VARIANT_ARRAY, sd_json_dispatch_variant_noref,
		 offsetof(struct staged_parameters, not_carried), SD_JSON_NULLABLE},
		{}};
	struct staged_parameters p = {};
	struct manager *m = userdata;
	int r;

	if (manager_is_oneway(flags))
		return 0;
	r = sd_varlink_dispatch(link, parameters, table, &p);
	if (r != 0)
		return r;
	if (updater_is_current(m, p.update) < 0)
		return no_update(link, p.update);
	if (m->update->state != UPDATE_PREPARED)
		return manager_update_in_progress(link, m);
	r = not_carried_note(m, p.not_carried);
	if (r >= 0)
		r = updater_staged(m, link);
	return r == -EBUSY || r == -EPERM ? manager_update_in_progress(link, m) : r;
}

struct freeze_parameters {
	const char *update;
	uint64_t timeout_usec;
	sd_json_variant *not_carried; /* borrowed */
};

static int method_freeze(sd_varlink *link, sd_json_variant *parameters,
			 sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field table[] = {
		{"update", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct freeze_parameters, update), SD_JSON_MANDATORY},
		{"timeoutUSec", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64,
		 offsetof(struct freeze_parameters, timeout_usec), 0},
		{"notCarried", SD_JSON_VARIANT_ARRAY, sd_json_dispatch_variant_noref,
		 offsetof(struct freeze_parameters, not_carried), SD_JSON_NULLABLE},
		{}};
	struct freeze_parameters p = {.timeout_usec = UPDATE_TIMEOUT_USEC};
	struct manager *m = userdata;
	int r;

	if (manager_is_oneway(flags))
		return 0;
	r = sd_varlink_dispatch(link, parameters, table, &p);
	if (r != 0)
		return r;
	if (updater_is_current(m, p.update) < 0)
		return no_update(link, p.update);
	if (m->update->state != UPDATE_STAGED && m->update->state != UPDATE_COMMITTED)
		return manager_update_in_progress(link, m);
	r = not_carried_note(m, p.not_carried);
	if (r < 0)
		return r;
	r = updater_freeze(m, link, p.timeout_usec, flags & SD_VARLINK_METHOD_MORE);
	return r == -EBUSY ? manager_update_in_progress(link, m) : r;
}

static int method_commit(sd_varlink *link, sd_json_variant *parameters,
			 sd_varlink_method_flags_t flags, void *userdata)
{
	struct manager *m = userdata;
	const char *update;
	int r;

	if (manager_is_oneway(flags))
		return 0;
	r = dispatch_update(link, parameters, &update);
	if (r != 0)
		return r;
	if (updater_is_current(m, update) < 0)
		return no_update(link, update);
	r = updater_commit(m, link);
	return r == -EBUSY ? manager_update_in_progress(link, m) : r;
}

struct shut_down_parameters {
	const char *kind;
	int checked;
	const char *problem;
};

static int method_shut_down(sd_varlink *link, sd_json_variant *parameters,
			    sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field table[] = {
		{"kind", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct shut_down_parameters, kind), SD_JSON_MANDATORY},
		{"checked", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_tristate,
		 offsetof(struct shut_down_parameters, checked), SD_JSON_NULLABLE},
		{"problem", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct shut_down_parameters, problem), SD_JSON_NULLABLE},
		{}};
	struct shut_down_parameters p = {};
	struct manager *m = userdata;
	int r;

	if (manager_is_oneway(flags))
		return 0;
	r = sd_varlink_dispatch(link, parameters, table, &p);
	if (r != 0)
		return r;
	if (p.checked > 0)
		shutdown_is_checked(m, p.problem);
	else
		shutdown_begins(m, p.kind);
	return sd_varlink_reply(link, NULL);
}

struct abort_parameters {
	const char *update;
	const char *reason;
	int shutdown_failed;
};

static int method_abort(sd_varlink *link, sd_json_variant *parameters,
			sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field table[] = {
		{"update", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct abort_parameters, update), SD_JSON_NULLABLE},
		{"reason", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct abort_parameters, reason), SD_JSON_NULLABLE},
		{"shutdownFailed", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_tristate,
		 offsetof(struct abort_parameters, shutdown_failed), SD_JSON_NULLABLE},
		{}};
	struct abort_parameters p = {};
	struct manager *m = userdata;
	int r;

	if (manager_is_oneway(flags))
		return 0;
	r = sd_varlink_dispatch(link, parameters, table, &p);
	if (r != 0)
		return r;
	if (updater_is_current(m, p.update) < 0)
		return p.update ? no_update(link, p.update) : sd_varlink_reply(link, NULL);
	r = updater_abort(m, link, p.reason, p.shutdown_failed > 0);
	return r == -EBUSY ? manager_update_in_progress(link, m) : r;
}

/* What went before is history, and of the update that is arriving nothing is known yet. */
static int report_later(sd_varlink *link, const struct manager *m)
{
	const char *problem = restore_problem(m);
	sd_json_variant *problems = NULL;
	int r = sd_json_variant_new_array(&problems, NULL, 0);

	if (r >= 0 && problem)
		r = sd_json_variant_append_arrayb(&problems, SD_JSON_BUILD_STRING(problem));
	if (r >= 0)
		r = sd_varlink_replybo(
			link, SD_JSON_BUILD_PAIR_STRING("update", m->registry.tree->update_id),
			SD_JSON_BUILD_PAIR_VARIANT("problems", problems));
	sd_json_variant_unref(problems);
	return r;
}

static int method_report(sd_varlink *link, sd_json_variant *parameters,
			 sd_varlink_method_flags_t flags, void *userdata)
{
	struct manager *m = userdata;
	sd_json_variant *report = NULL;
	int r;

	if (manager_is_oneway(flags))
		return 0;
	r = sd_varlink_dispatch(link, parameters, NULL, NULL);
	if (r != 0)
		return r;
	if (m->update->state == UPDATE_RESTORING)
		return report_later(link, m);
	if (!m->report)
		return sd_varlink_reply(link, NULL);
	r = report_to_json(m->report, &report);
	if (r >= 0)
		r = sd_varlink_reply(link, report);
	sd_json_variant_unref(report);
	return r;
}

static int blob_memfd(const void *blob, size_t size)
{
	_cleanup_close_ int fd = memfd_create("kho-tree", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	for (size_t done = 0; done < size;) {
		ssize_t n = write(fd, (const char *)blob + done, size - done);

		if (n < 0)
			return -errno;
		done += n;
	}
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	return TAKE_FD(fd);
}

static int method_tree(sd_varlink *link, sd_json_variant *parameters,
		       sd_varlink_method_flags_t flags, void *userdata)
{
	struct manager *m = userdata;
	_cleanup_close_ int fd = -EBADF;
	_cleanup_free_ void *blob = NULL;
	size_t size;
	int r, index;

	if (manager_is_oneway(flags))
		return 0;
	r = sd_varlink_dispatch(link, parameters, NULL, NULL);
	if (r != 0)
		return r;
	r = handover_build(m->registry.tree, &blob, &size);
	if (r < 0)
		return r;
	fd = blob_memfd(blob, size);
	if (fd < 0)
		return fd;
	index = sd_varlink_push_fd(link, fd);
	if (index < 0)
		return index;
	TAKE_FD(fd);
	return sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_UNSIGNED("treeFileDescriptor", index));
}

static int method_wait(sd_varlink *link, sd_json_variant *parameters,
		       sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field table[] = {
		{"timeoutUSec", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64, 0, 0}, {}};
	struct manager *m = userdata;
	uint64_t timeout_usec = UINT64_MAX;
	int r;

	if (manager_is_oneway(flags))
		return 0;
	r = sd_varlink_dispatch(link, parameters, table, &timeout_usec);
	if (r != 0)
		return r;
	return claims_wait(m, link, timeout_usec);
}

static void on_disconnect(sd_varlink_server *server, sd_varlink *link, void *userdata)
{
	updater_operator_gone(userdata, link);
	claims_forget(userdata, link);
	monitor_forget(userdata, link);
}

int manager_methods_bind(sd_varlink_server *server)
{
	int r = sd_varlink_server_add_interface(server, &vl_interface_io_kho_Manager);

	if (r >= 0)
		r = sd_varlink_server_bind_disconnect(server, on_disconnect);
	if (r < 0)
		return r;
	return sd_varlink_server_bind_method_many(
		server, NAME_IN_MANAGER("Status"), method_status, NAME_IN_MANAGER("List"),
		method_list, NAME_IN_MANAGER("Prepare"), method_prepare, NAME_IN_MANAGER("Staged"),
		method_staged, NAME_IN_MANAGER("Freeze"), method_freeze, NAME_IN_MANAGER("Commit"),
		method_commit, NAME_IN_MANAGER("ShutDown"), method_shut_down,
		NAME_IN_MANAGER("Abort"), method_abort, NAME_IN_MANAGER("Report"), method_report,
		NAME_IN_MANAGER("Tree"), method_tree, NAME_IN_MANAGER("Wait"), method_wait,
		NAME_IN_MANAGER("Drop"), manager_drop_method, NAME_IN_MANAGER("Give"),
		manager_give_method, NAME_IN_MANAGER("Take"), manager_take_method,
		NAME_IN_MANAGER("Plan"), manager_plan_method, NAME_IN_MANAGER("Leftovers"),
		manager_leftovers_method, NAME_IN_MANAGER("DropLeftover"),
		manager_drop_leftover_method, NAME_IN_MANAGER("Monitor"), monitor_method);
}
