/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "kho/client/format.h"
#include "kho/core/paths.h"
#include "kho/daemon/claims.h"
#include "kho/daemon/clock.h"
#include "kho/daemon/kept-copies.h"
#include "kho/daemon/fdstore.h"
#include "kho/daemon/ledger.h"
#include "kho/daemon/log.h"
#include "kho/daemon/monitor.h"
#include "kho/daemon/pending.h"
#include "kho/daemon/restore.h"
#include "kho/daemon/updater.h"
#include "kho/daemon/worker.h"

#define RETRY_USEC USEC_PER_SEC

struct restorer {
	struct manager *m;
	struct incoming *incoming; /* the worker's while one runs */
	restore_ready_fn ready;
	char *problem;
	sd_event_source *retry;
};

struct restorer *restorer_free(struct restorer *restorer)
{
	if (!restorer)
		return NULL;
	incoming_free(restorer->incoming);
	free(restorer->problem);
	sd_event_source_disable_unref(restorer->retry);
	free(restorer);
	return NULL;
}

const char *restore_problem(const struct manager *m)
{
	return m->restorer ? m->restorer->problem : NULL;
}

static void log_fate(const struct region *region, enum message message)
{
	log_message(LOG_ERR, message,
		    &(struct log_about){.owner = region->owner, .region = region->name},
		    "region \"%s\" of %s is %s: %s", region->name, region->owner,
		    region_check_to_string(region->check),
		    region->reason ? region->reason : "no reason is known");
}

static void judge(struct region *region, const struct incoming_item *about)
{
	_cleanup_free_ char *foreseen = about->carried ? TAKE_PTR(region->reason) : NULL;

	free(TAKE_PTR(region->reason));
	region->claimed = false;
	if (about->lost) {
		region->check = REGION_LOST;
		(void)region_set_reason(region, "%s%s%s", about->lost, foreseen ? "; before: " : "",
					foreseen ? foreseen : "");
		log_fate(region, MESSAGE_REGION_LOST);
	} else if (about->damaged) {
		region->check = REGION_DAMAGED;
		(void)region_set_reason(region, "%s", about->damaged);
		log_fate(region, MESSAGE_REGION_DAMAGED);
	} else {
		region->check = about->verified ? REGION_VERIFIED : REGION_UNCHECKED;
	}
}

/* Two kernels have two clocks, and this one's was set by one that counts whole seconds: what comes
 * later is not to look as if it came earlier.
 */
static void note_moment(struct handover *tree, enum moment moment, uint64_t usec)
{
	for (int i = 0; i < (int)moment; i++)
		if (tree->moments[i] > usec)
			usec = tree->moments[i];
	tree->moments[moment] = usec;
}

/* Nothing may say of it that it is here. */
static void lose(struct region *region, struct incoming_item *about)
{
	if (!about->lost)
		about->lost = strdup("khod had no memory to hold it");
	region->check = REGION_LOST;
	(void)region_set_reason(region, "%s", about->lost);
	log_fate(region, MESSAGE_REGION_LOST);
}

/* The base becomes the registry's tree, the memory goes into custody. */
static void install(struct manager *m, struct incoming *in)
{
	struct handover *tree = TAKE_PTR(in->base);

	if (tree->generation < m->registry.tree->generation)
		tree->generation = m->registry.tree->generation;
	handover_free(m->registry.tree);
	m->registry.tree = tree;
	for (size_t i = 1; i < in->n_items; i++) {
		struct region *region = handover_find_id(tree, in->about[i].id);

		if (!region)
			continue;
		judge(region, &in->about[i]);
		if (region_is_hurt(region))
			monitor_region(m, region_check_to_string(region->check), region);
		if (in->items[i].fd >= 0 &&
		    registry_hold(&m->registry, region->id, TAKE_FD(in->items[i].fd)) < 0)
			lose(region, &in->about[i]);
	}
	tree->state = UPDATE_RESTORING;
	note_moment(tree, MOMENT_KERNEL_START, m->kernel.start_usec);
	note_moment(tree, MOMENT_DAEMON_START, m->started_usec);
	note_moment(tree, MOMENT_RESTORED, realtime_usec());
}

/* Of what was there when the update began: an optional region that was left behind is lost too. */
static const char *result_of(const struct incoming *in, const struct handover *tree)
{
	size_t carried = 0, arrived = 0, hurt = 0;

	for (size_t i = 1; i < in->n_items; i++) {
		const struct incoming_item *about = &in->about[i];

		carried += about->carried;
		arrived += about->carried && !about->lost;
		hurt += about->lost || about->damaged;
	}
	if (carried > 0 && arrived == 0)
		return "lost";
	return hurt > 0 || tree->problems ? "incomplete" : "restored";
}

static int write_report(struct manager *m)
{
	struct handover *tree = m->registry.tree;
	_cleanup_free_ void *blob = NULL;
	size_t size;
	int r;

	free(tree->result);
	tree->result = strdup(result_of(m->restorer->incoming, tree));
	if (m->restorer->incoming->note)
		(void)handover_add_problem(tree, "%s", m->restorer->incoming->note);
	free(tree->next_release);
	tree->next_release = strdup(m->kernel.release);
	tree->kexec_count = m->kernel.kexec_count;
	memcpy(tree->boot_id, m->kernel.boot_id, sizeof(tree->boot_id));
	r = handover_build(tree, &blob, &size);
	m->report = handover_free(m->report);
	if (r >= 0)
		r = handover_parse(blob, size, &m->report);
	return r < 0 ? r : ledger_write(KHO_REPORT_FILE, m->report);
}

static void log_result(const struct handover *tree)
{
	const char *release = tree->release ? tree->release : "an unknown kernel";
	const struct log_about about = {.tree = tree, .result = tree->result};
	size_t hurt = 0, problems = 0;

	for (size_t i = 0; i < tree->n_regions; i++)
		hurt += region_is_hurt(tree->regions[i]);
	while (tree->problems && tree->problems[problems])
		problems++;
	if (tree->result && !strcmp(tree->result, "restored"))
		log_message(LOG_NOTICE, MESSAGE_UPDATE_RESTORED, &about,
			    "Update %s from %s has arrived: all of it, %zu %s", tree->update_id,
			    release, tree->n_regions, plural(tree->n_regions, "region", "regions"));
	else
		log_message(LOG_ERR, MESSAGE_UPDATE_INCOMPLETE, &about,
			    "Update %s from %s has NOT arrived as it was sent (%s): %zu of %zu %s "
			    "lost or damaged, %zu other %s; see kho report",
			    tree->update_id, release, tree->result ? tree->result : "incomplete",
			    hurt, tree->n_regions, plural(tree->n_regions, "region", "regions"),
			    problems, plural(problems, "problem", "problems"));
}

static void restore_end(struct manager *m)
{
	struct handover *tree = m->registry.tree;
	restore_ready_fn ready = m->restorer->ready;
	int r = write_report(m);

	if (r < 0)
		log_error("The report can't be written to %s: %s", state_dir(), strerror(-r));
	log_result(tree);
	monitor_event(m, &(struct monitor_event){.event = "restored", .reason = tree->result});
	kept_copies_note(m);
	free(tree->release);
	tree->release = strdup(m->kernel.release);
	tree->forced = false;
	handover_clear_problems(tree);
	memcpy(tree->boot_id, m->kernel.boot_id, sizeof(tree->boot_id));
	m->restorer = restorer_free(m->restorer);
	r = updater_feed(m, &(struct update_event){.kind = EVENT_RESTORED});
	if (r < 0)
		log_error("The end of restoring is refused: %s", strerror(-r));
	(void)fdstore_remove(INCOMING_TREE_STORE_NAME);
	pending_resume(m);
	claims_changed(m);
	ready(m);
}

static int restore_run(struct restorer *restorer);

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct restorer *restorer = userdata;

	restorer->retry = sd_event_source_disable_unref(restorer->retry);
	return restore_run(restorer);
}

/* Nothing has been taken out of the kernel: it is all there when the way is free. */
static void restore_later(struct restorer *restorer, int error)
{
	const char *message = restorer->incoming->message;
	bool first = !restorer->problem;
	int r;

	free(restorer->problem);
	restorer->problem = strdup(message ? message : strerror(-error));
	if (first) {
		log_message(LOG_ERR, MESSAGE_RESTORE_WAITS,
			    &(struct log_about){.tree = restorer->incoming->base},
			    "Restoring waits: %s", restorer->problem);
		monitor_event(restorer->m, &(struct monitor_event){.event = "problem",
								   .reason = restorer->problem});
		restorer->ready(restorer->m);
	}
	r = sd_event_add_time_relative(restorer->m->event, &restorer->retry, CLOCK_BOOTTIME,
				       RETRY_USEC, 0, on_retry, restorer);
	if (r < 0)
		log_error("No timer to restore later: %s", strerror(-r));
}

static int restore_on_thread(void *data)
{
	return incoming_restore(((struct restorer *)data)->incoming);
}

static void on_restored(int result, void *data)
{
	struct restorer *restorer = data;
	struct manager *m = restorer->m;

	if (result < 0) {
		restore_later(restorer, result);
		return;
	}
	install(m, restorer->incoming);
	restore_end(m);
}

static int restore_run(struct restorer *restorer)
{
	int r = work_start(restorer->m->event, restore_on_thread, on_restored, restorer);

	if (r < 0)
		restore_later(restorer, r);
	return 0;
}

int restore_start(struct manager *m, struct incoming *incoming, restore_ready_fn ready)
{
	struct restorer *restorer = calloc(1, sizeof(*restorer));
	int r;

	if (!restorer) {
		incoming_free(incoming);
		return -ENOMEM;
	}
	*restorer = (struct restorer){.m = m, .incoming = incoming, .ready = ready};
	m->restorer = restorer;
	r = updater_feed(m, &(struct update_event){.kind = EVENT_RESTORE});
	return r < 0 ? r : restore_run(restorer);
}
