/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_HANDOVER_ERROR_H
#define KHO_DAEMON_HANDOVER_ERROR_H

#include "kho/daemon/peers.h"

#define HANDOVER_ERROR(name) "io.kho.Handover." name

/* Error replies of io.kho.Handover; what they return is for the method to return. */

int handover_error(sd_varlink *link, const char *error, const char *name, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

int handover_no_such_region(struct peer *peer, const char *name);

/* what: what can't be done in this state of the update: no region can be registered … */
int handover_update_in_progress(struct peer *peer, const char *what);

/* An error with nothing but a message. */
int handover_message(struct peer *peer, const char *error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
