/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_PARTICIPANT_METHODS_H
#define KHO_DAEMON_PARTICIPANT_METHODS_H

#include <systemd/sd-varlink.h>

/* Methods of io.kho.Handover for those who take part in updates. */
int watch_method(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
		 void *userdata);
int acknowledge_method(sd_varlink *link, sd_json_variant *parameters,
		       sd_varlink_method_flags_t flags, void *userdata);
int extend_timeout_method(sd_varlink *link, sd_json_variant *parameters,
			  sd_varlink_method_flags_t flags, void *userdata);

#endif
