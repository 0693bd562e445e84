/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_MONITOR_H
#define KHO_DAEMON_MONITOR_H

#include "kho/daemon/manager.h"

/* Something that happened; the words are those of io.kho.Manager.Monitor, NULL where they do not
 * apply.
 */
struct monitor_event {
	const char *event;
	const char *owner;
	const char *phase;
	const struct region *region; /* its owner, too */
	const char *cause;
	const char *reason;
};

/* Tells everybody who follows. Who does not read what it is sent loses its connection. */
void monitor_event(struct manager *m, const struct monitor_event *event);

void monitor_region(struct manager *m, const char *event, const struct region *region);

/* The method Monitor of io.kho.Manager. */
int monitor_method(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
		   void *userdata);

/* The connection is closed. */
void monitor_forget(struct manager *m, const sd_varlink *link);

void monitors_free(struct manager *m);

#endif
