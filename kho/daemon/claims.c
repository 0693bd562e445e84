/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "kho/core/paths.h"
#include "kho/daemon/claims.h"
#include "kho/daemon/clock.h"
#include "kho/daemon/kept-copies.h"
#include "kho/daemon/ledger.h"
#include "kho/daemon/log.h"
#include "kho/daemon/region-json.h"

#define SAVE_DELAY_USEC (USEC_PER_SEC / 10)

struct waiter {
	struct manager *m;
	sd_varlink *link;
	sd_event_source *timeout;
};

bool region_is_unclaimed(const struct region *region)
{
	return !region->claimed && region->check != REGION_LOST;
}

static bool has_arrived(const struct region *region)
{
	return region->check != REGION_NEW && region->check != REGION_LOST;
}

bool region_is_missed(const struct region *region)
{
	return region->required && has_arrived(region) && !region->claimed;
}

/* While restoring goes on nothing is known of it but that it was to be kept. */
static bool region_is_awaited(const struct region *region)
{
	return region->required && region->check != REGION_LOST;
}

bool region_is_hurt(const struct region *region)
{
	return region->check == REGION_LOST || region->check == REGION_DAMAGED;
}

static bool any_region(const struct manager *m, bool (*is)(const struct region *region))
{
	for (size_t i = 0; i < m->registry.tree->n_regions; i++)
		if (is(m->registry.tree->regions[i]))
			return true;
	return false;
}

static bool is_claimed(const struct region *region)
{
	return has_arrived(region) && region->claimed;
}

/* Goes to disk with the first and the last claim: a thousand claims are not to wait for a disk. */
static void note_claims(struct manager *m)
{
	for (size_t i = 0; i < m->registry.tree->n_regions; i++) {
		const struct region *region = m->registry.tree->regions[i];
		struct region *noted;

		if (!is_claimed(region))
			continue;
		noted = handover_find_id(m->report, region->id);
		if (noted)
			noted->claimed = true;
	}
}

static void note_moments(struct manager *m)
{
	uint64_t *moments, now = realtime_usec();
	bool changed = false;

	if (!m->report)
		return;
	note_claims(m);
	moments = m->report->moments;
	/* In order, as the moments of restoring are: see restore.c. */
	if (now < moments[MOMENT_RESTORED])
		now = moments[MOMENT_RESTORED];
	if (!moments[MOMENT_FIRST_CLAIM] && any_region(m, is_claimed)) {
		moments[MOMENT_FIRST_CLAIM] = now;
		changed = true;
	}
	if (!moments[MOMENT_LAST_CLAIM] && moments[MOMENT_FIRST_CLAIM] &&
	    !any_region(m, region_is_missed)) {
		moments[MOMENT_LAST_CLAIM] = now;
		changed = true;
		log_message(LOG_NOTICE, MESSAGE_CLAIMS_COMPLETE,
			    &(struct log_about){.tree = m->report},
			    "Every required region is claimed: update %s is complete",
			    m->report->update_id ? m->report->update_id : "of unknown name");
	}
	if (changed && ledger_write(KHO_REPORT_FILE, m->report) < 0)
		log_error("%s/%s can't be written: kho report will not know of the claims after a "
			  "restart of khod",
			  state_dir(), KHO_REPORT_FILE);
}

static bool is_over(const struct manager *m)
{
	return m->update->state != UPDATE_RESTORING && !any_region(m, region_is_missed);
}

static void waiter_end(struct manager *m, size_t i)
{
	bool restoring = m->update->state == UPDATE_RESTORING;
	struct waiter w = m->waiters[i];
	sd_json_variant *unclaimed = NULL, *lost = NULL;

	m->waiters[i] = m->waiters[--m->n_waiters];
	if (regions_to_json(m->registry.tree, restoring ? region_is_awaited : region_is_missed,
			    &unclaimed) >= 0 &&
	    regions_to_json(m->registry.tree, region_is_hurt, &lost) >= 0)
		(void)sd_varlink_replybo(w.link, SD_JSON_BUILD_PAIR_VARIANT("unclaimed", unclaimed),
					 SD_JSON_BUILD_PAIR_VARIANT("lost", lost));
	sd_json_variant_unref(unclaimed);
	sd_json_variant_unref(lost);
	sd_event_source_disable_unref(w.timeout);
	sd_varlink_unref(w.link);
}

void claims_flush(struct manager *m)
{
	int r;

	if (!m->unsaved_claims)
		return;
	m->unsaved_claims = sd_event_source_disable_unref(m->unsaved_claims);
	r = registry_save(&m->registry);
	if (r < 0)
		log_error("The handover tree can't be written: %s", strerror(-r));
}

static int on_save(sd_event_source *source, uint64_t usec, void *userdata)
{
	kept_copies_settle(userdata);
	claims_flush(userdata);
	return 0;
}

/* The tree is written as a whole: a thousand claims in a row are downtime, and who has claimed is
 * all that a crash within the delay forgets.
 */
static void save_soon(struct manager *m)
{
	if (!m->unsaved_claims &&
	    sd_event_add_time_relative(m->event, &m->unsaved_claims, CLOCK_BOOTTIME,
				       SAVE_DELAY_USEC, 0, on_save, m) < 0)
		log_error("No timer to write claims down");
}

void claims_changed(struct manager *m)
{
	if (m->update->state == UPDATE_RESTORING)
		return;
	save_soon(m);
	note_moments(m);
	while (m->n_waiters > 0 && is_over(m))
		waiter_end(m, 0);
}

static size_t find_waiter(const struct manager *m, const sd_varlink *link)
{
	size_t i = 0;

	while (i < m->n_waiters && m->waiters[i].link != link)
		i++;
	return i;
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct manager *m = userdata;

	for (size_t i = 0; i < m->n_waiters; i++)
		if (m->waiters[i].timeout == source) {
			waiter_end(m, i);
			break;
		}
	return 0;
}

int claims_wait(struct manager *m, sd_varlink *link, uint64_t timeout_usec)
{
	struct waiter *waiters = reallocarray(m->waiters, m->n_waiters + 1, sizeof(*waiters));
	struct waiter *w;
	int r;

	if (!waiters)
		return -ENOMEM;
	m->waiters = waiters;
	w = &waiters[m->n_waiters];
	*w = (struct waiter){.m = m};
	if (timeout_usec != UINT64_MAX) {
		r = sd_event_add_time_relative(m->event, &w->timeout, CLOCK_BOOTTIME,
					       timeout_cap(timeout_usec), 0, on_timeout, m);
		if (r < 0)
			return r;
	}
	w->link = sd_varlink_ref(link);
	m->n_waiters++;
	if (is_over(m))
		waiter_end(m, m->n_waiters - 1);
	return 0;
}

void claims_forget(struct manager *m, sd_varlink *link)
{
	size_t i = find_waiter(m, link);

	if (i == m->n_waiters)
		return;
	sd_event_source_disable_unref(m->waiters[i].timeout);
	sd_varlink_unref(m->waiters[i].link);
	m->waiters[i] = m->waiters[--m->n_waiters];
}

void claims_free(struct manager *m)
{
	for (size_t i = 0; i < m->n_waiters; i++) {
		sd_event_source_disable_unref(m->waiters[i].timeout);
		sd_varlink_unref(m->waiters[i].link);
	}
	free(m->waiters);
	m->waiters = NULL;
	m->n_waiters = 0;
}
