/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_REPORT_H
#define KHO_DAEMON_REPORT_H

#include <systemd/sd-json.h>

#include "kho/core/tree.h"

/* A report is the ledger with what became of it: release is the kernel the update came from,
 * next_release the one that really runs. This gives the reply of io.kho.Manager.Report.
 */
int report_to_json(const struct handover *report, sd_json_variant **ret);

/* The report was written when nobody had claimed anything yet: this is who has since. */
void report_note_claims(struct handover *report, const struct handover *registry);

#endif
