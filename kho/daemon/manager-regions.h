/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_MANAGER_REGIONS_H
#define KHO_DAEMON_MANAGER_REGIONS_H

#include "kho/daemon/manager.h"

/* Methods of io.kho.Manager on regions whose owner is gone: root acts in its place. */
int manager_drop_method(sd_varlink *link, sd_json_variant *parameters,
			sd_varlink_method_flags_t flags, void *userdata);
int manager_give_method(sd_varlink *link, sd_json_variant *parameters,
			sd_varlink_method_flags_t flags, void *userdata);
int manager_take_method(sd_varlink *link, sd_json_variant *parameters,
			sd_varlink_method_flags_t flags, void *userdata);

#endif
