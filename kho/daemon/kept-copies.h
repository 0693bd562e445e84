/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_KEPT_COPIES_H
#define KHO_DAEMON_KEPT_COPIES_H

#include "kho/daemon/manager.h"

/*
 * Copies that have arrived stay where they are until their region is claimed: then its owner may
 * change it, and what is there is old. Whatever is not to be seen on the loop is done on threads.
 */

/* The update in the registry's tree is restored: notes what is still where it was. */
void kept_copies_note(struct manager *m);

/* After claims: removes the copies of regions that are claimed, and all of it after the last. */
void kept_copies_settle(struct manager *m);

/* A new update begins: from here on the memory alone counts. */
void kept_copies_forget(struct manager *m);

#endif
