/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_HANDOVER_METHODS_H
#define KHO_DAEMON_HANDOVER_METHODS_H

#include "kho/daemon/manager.h"

/* Binds the methods of io.kho.Handover to a server whose userdata is the manager. */
int handover_methods_bind(sd_varlink_server *server);

/* Answers the calls that came while regions were still being restored. */
void handover_methods_resume(struct manager *m);
void handover_methods_free(struct manager *m);

#endif
