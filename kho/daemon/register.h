/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_REGISTER_H
#define KHO_DAEMON_REGISTER_H

#include <systemd/sd-varlink.h>

/* io.kho.Handover.Register, with everything that can be said against a region. */
int register_method(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
		    void *userdata);

#endif
