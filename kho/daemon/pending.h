/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_PENDING_H
#define KHO_DAEMON_PENDING_H

#include "kho/daemon/peers.h"

/* Calls of services that wait for the end of restoring. */

/* Keeps the call for later, if regions are still being restored. True: it is kept; no memory to do
 * so counts as none to keep.
 */
bool pending_keep(struct peer *peer, sd_varlink_method_t method, sd_json_variant *parameters,
		  sd_varlink_method_flags_t flags);

/* Lets every call happen that was kept. */
void pending_resume(struct manager *m);

void pending_free(struct manager *m);

#endif
