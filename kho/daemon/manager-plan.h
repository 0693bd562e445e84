/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_MANAGER_PLAN_H
#define KHO_DAEMON_MANAGER_PLAN_H

#include "kho/daemon/manager.h"

/* Plan of io.kho.Manager: what Prepare would decide, and nothing of what it would do. */
int manager_plan_method(sd_varlink *link, sd_json_variant *parameters,
			sd_varlink_method_flags_t flags, void *userdata);

#endif
