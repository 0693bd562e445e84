/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_MANAGER_LEFTOVERS_H
#define KHO_DAEMON_MANAGER_LEFTOVERS_H

#include "kho/daemon/manager.h"

/*
 * Methods of io.kho.Manager on copies of updates that are neither in progress nor waiting to be
 * claimed: they are root's to remove, and nobody's to have.
 */
int manager_leftovers_method(sd_varlink *link, sd_json_variant *parameters,
			     sd_varlink_method_flags_t flags, void *userdata);
int manager_drop_leftover_method(sd_varlink *link, sd_json_variant *parameters,
				 sd_varlink_method_flags_t flags, void *userdata);

/* Says in the log what lies there. */
void leftovers_log(const struct manager *m);

#endif
