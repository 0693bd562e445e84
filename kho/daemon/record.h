/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_RECORD_H
#define KHO_DAEMON_RECORD_H

#include <stdatomic.h>

#include "kho/daemon/copies.h"
#include "kho/daemon/manager.h"

/* The last thing before the point of no return: digests of all regions that nobody writes to any
 * more, the copies of what goes by copy, the final tree, the ledger on disk.
 */

/* Called on the loop at the end: 0, or an error with a line that says what and the way out, the
 * callee's to free. n_digested regions have a digest.
 */
typedef void (*record_done_fn)(struct manager *m, int result, char *message, size_t n_digested);

/* *cancel ends it early with -ECANCELED. copies are made in between, and have to outlive it. */
int record_start(struct manager *m, struct copies *copies, const atomic_bool *cancel,
		 record_done_fn done);

#endif
