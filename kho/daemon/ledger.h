/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_LEDGER_H
#define KHO_DAEMON_LEDGER_H

#include "kho/core/tree.h"

/* Handover trees as files in the state directory: KHO_LEDGER_FILE and KHO_REPORT_FILE. */

/* Replaces the file as a whole and waits until it is on disk: after a crash at any moment the old
 * or the new one is there. Errors: open(2)'s, write(2)'s, handover_build's.
 */
int ledger_write(const char *file, const struct handover *handover);

/* *ret is the caller's. Errors: -ENOENT, read(2)'s, handover_parse's. */
int ledger_read(const char *file, struct handover **ret);

/* Renames the file, out of the way but still to be looked at, to FILE.damaged. Errors: rename(2)'s.
 */
int ledger_set_aside(const char *file);

/* Removes the file, and waits until that is on disk; it is no error if there is none. */
int ledger_remove(const char *file);

#endif
