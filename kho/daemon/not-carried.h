/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_NOT_CARRIED_H
#define KHO_DAEMON_NOT_CARRIED_H

#include <systemd/sd-json.h>

#include "kho/daemon/manager.h"

/*
 * Notes what others than khod were to keep and the update in progress loses (NotCarried of
 * io.kho.Manager; NULL: nothing): in the log, and in the tree, so that the report has it. 0,
 * -EINVAL or -ENOMEM.
 */
int not_carried_note(struct manager *m, sd_json_variant *array);

#endif
