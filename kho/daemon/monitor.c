/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-json.h>

#include "kho/daemon/clock.h"
#include "kho/daemon/log.h"
#include "kho/daemon/monitor.h"

/* Connections of those who follow are open for long: they are to leave some for kexec(8). */
#define MONITORS_MAX 16
/* Events that may wait for a reader: all that the restoring of every region can bring at once.
 * sd-varlink alone would keep 16 MiB for each.
 */
#define EVENTS_BEHIND_MAX (2 * HANDOVER_REGIONS_MAX)

struct monitor {
	sd_varlink *link;
	size_t behind; /* events since its queue was seen empty */
};

static int event_to_json(const struct manager *m, const struct monitor_event *e,
			 sd_json_variant **ret)
{
	const char *update = m->registry.tree->update_id;
	/* The last that was told of: an answer comes before the state that it leads to. */
	const char *state = update_state_to_string(m->registry.tree->state);
	const char *owner = e->region ? e->region->owner : e->owner;

	return sd_json_buildo(
		ret, SD_JSON_BUILD_PAIR_STRING("event", e->event),
		SD_JSON_BUILD_PAIR_UNSIGNED("realtimeUSec", realtime_usec()),
		SD_JSON_BUILD_PAIR_STRING("state", state),
		SD_JSON_BUILD_PAIR_CONDITION(!!update, "update", SD_JSON_BUILD_STRING(update)),
		SD_JSON_BUILD_PAIR_CONDITION(!!owner, "owner", SD_JSON_BUILD_STRING(owner)),
		SD_JSON_BUILD_PAIR_CONDITION(!!e->phase, "phase", SD_JSON_BUILD_STRING(e->phase)),
		SD_JSON_BUILD_PAIR_CONDITION(
			!!e->region, "name",
			SD_JSON_BUILD_STRING(e->region ? e->region->name : NULL)),
		SD_JSON_BUILD_PAIR_CONDITION(
			!!e->region, "size",
			SD_JSON_BUILD_UNSIGNED(e->region ? e->region->size : 0)),
		SD_JSON_BUILD_PAIR_CONDITION(!!e->cause, "cause", SD_JSON_BUILD_STRING(e->cause)),
		SD_JSON_BUILD_PAIR_CONDITION(!!e->reason, "reason",
					     SD_JSON_BUILD_STRING(e->reason)));
}

static int send_event(struct monitor *monitor, sd_json_variant *event)
{
	int events = sd_varlink_get_events(monitor->link);

	if (events < 0)
		return events;
	monitor->behind = events & EPOLLOUT ? monitor->behind + 1 : 0;
	if (monitor->behind > EVENTS_BEHIND_MAX)
		return -ENOBUFS;
	return sd_varlink_notify(monitor->link, event);
}

static sd_varlink *take_link(struct manager *m, size_t i)
{
	sd_varlink *link = m->monitors[i].link;

	m->monitors[i] = m->monitors[--m->n_monitors];
	return link;
}

void monitor_event(struct manager *m, const struct monitor_event *event)
{
	sd_json_variant *json = NULL;
	int r;

	if (m->n_monitors == 0)
		return;
	r = event_to_json(m, event, &json);
	if (r < 0)
		log_warning("Nobody can be told of \"%s\": %s", event->event, strerror(-r));
	/* Closing one may end an update that it drove, which is an event too. */
	for (size_t i = m->n_monitors; r >= 0 && i-- > 0;) {
		int error = i < m->n_monitors ? send_event(&m->monitors[i], json) : 0;

		if (error >= 0)
			continue;
		log_warning("Somebody who follows by Monitor does not read, and is cut off: %s",
			    strerror(-error));
		sd_varlink_close_unref(take_link(m, i));
	}
	sd_json_variant_unref(json);
}

void monitor_region(struct manager *m, const char *event, const struct region *region)
{
	monitor_event(m, &(struct monitor_event){
				 .event = event, .region = region, .reason = region->reason});
}

static int too_many(sd_varlink *link)
{
	return sd_varlink_errorbo(
		link, "io.kho.Manager.LimitReached",
		SD_JSON_BUILD_PAIR_UNSIGNED("limit", MONITORS_MAX),
		SD_JSON_BUILD_PAIR_STRING("message", "too many follow khod already: end another "
						     "kho monitor first"));
}

int monitor_method(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
		   void *userdata)
{
	struct manager *m = userdata;
	struct monitor *monitors;
	sd_json_variant *json = NULL;
	int r;

	r = sd_varlink_dispatch(link, parameters, NULL, NULL);
	if (r != 0)
		return r;
	if (m->n_monitors >= MONITORS_MAX)
		return too_many(link);
	monitors = reallocarray(m->monitors, m->n_monitors + 1, sizeof(*monitors));
	if (!monitors)
		return -ENOMEM;
	m->monitors = monitors;
	r = event_to_json(m, &(struct monitor_event){.event = "monitoring"}, &json);
	if (r >= 0)
		r = sd_varlink_notify(link, json);
	/* Referred to, since sd-varlink ends a call that nobody refers to. */
	if (r >= 0)
		monitors[m->n_monitors++] = (struct monitor){.link = sd_varlink_ref(link)};
	sd_json_variant_unref(json);
	return r;
}

void monitor_forget(struct manager *m, const sd_varlink *link)
{
	for (size_t i = 0; i < m->n_monitors; i++)
		if (m->monitors[i].link == link) {
			sd_varlink_unref(take_link(m, i));
			return;
		}
}

void monitors_free(struct manager *m)
{
	while (m->n_monitors > 0)
		sd_varlink_unref(take_link(m, 0));
	free(m->monitors);
	m->monitors = NULL;
}
