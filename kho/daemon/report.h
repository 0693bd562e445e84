/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_REPORT_H
#define KHO_DAEMON_REPORT_H

#include <systemd/sd-json.h>

#include "kho/core/tree.h"

/* A report is the ledger with what became of it: release is the kernel the update came from,
 * next_release the one that really runs. This gives the reply of io.kho.Manager.Report.
 */
int report_to_json(const struct handover *report, sd_json_variant **ret);

#endif
