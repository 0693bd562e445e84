/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_MANAGER_H
#define KHO_DAEMON_MANAGER_H

#include <systemd/sd-event.h>
#include <systemd/sd-varlink.h>

#include "kho/core/update.h"
#include "kho/daemon/registry.h"
#include "kho/kernel/generation.h"

struct transport;
struct updater;
struct restorer;

/* Everything that khod is; one of it, in main(). */
struct manager {
	sd_event *event;
	sd_varlink_server *services;  /* io.kho.Handover */
	sd_varlink_server *operators; /* io.kho.Manager */
	struct kernel_info kernel;
	int relay;	/* relay_start()'s; negative: users are served as root is */
	bool user_veto; /* what unprivileged users mark as required can stop an update */
	const struct transport *transport; /* NULL: what this kernel has */
	uint64_t started_usec;		   /* CLOCK_REALTIME */
	struct registry registry;
	struct handover *report; /* the last update that went through a kexec; NULL: none has */
	struct update *update;
	struct updater *updater;
	struct restorer *restorer; /* NULL: nothing is being restored */

	struct peer **peers;
	size_t n_peers;
	uint32_t last_participant;
	uint64_t crowd_usec; /* when somebody's crowd of connections was last logged */

	struct pending *pending; /* calls of services that wait for the end of restoring */
	size_t n_pending;
	sd_event_source *unsaved_claims; /* NULL: the tree has them all */
	struct waiter *waiters;		 /* Wait calls */
	size_t n_waiters;
	struct unit_cgroup *cgroups; /* of the system units that have connected */
	size_t n_cgroups;
	struct shutdown *shutdown;	   /* that is going on; NULL: none is */
	sd_event_source *awaited_shutdown; /* gives up waiting for it */
	struct logind *logind;
	struct monitor *monitors; /* Monitor calls */
	size_t n_monitors;
};

#endif
