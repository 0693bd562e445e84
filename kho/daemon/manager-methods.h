/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_MANAGER_METHODS_H
#define KHO_DAEMON_MANAGER_METHODS_H

#include "kho/daemon/manager.h"

/* Binds the methods of io.kho.Manager to a server whose connections' userdata is the manager. */
int manager_methods_bind(sd_varlink_server *server);

/* Replies UpdateInProgress: says why the state of the update does not allow a call. */
int manager_update_in_progress(sd_varlink *link, const struct manager *m);

/* Whether nobody would hear how the call went: it is not carried out then. */
bool manager_is_oneway(sd_varlink_method_flags_t flags);

#endif
