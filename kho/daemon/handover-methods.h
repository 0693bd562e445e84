/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_HANDOVER_METHODS_H
#define KHO_DAEMON_HANDOVER_METHODS_H

#include "kho/daemon/manager.h"

/* Binds the methods of io.kho.Handover to a server whose userdata is the manager. */
int handover_methods_bind(sd_varlink_server *server);

#endif
