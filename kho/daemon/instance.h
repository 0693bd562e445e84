/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_INSTANCE_H
#define KHO_DAEMON_INSTANCE_H

/* Makes the runtime directory and makes sure that this is the only khod: a second one would take
 * the sockets away from the first, and the ledger and the sessions with them. The lock ends with
 * the process, however that ends. Returns its fd, the caller's to close; on an error, it has said
 * what is wrong.
 */
int instance_lock(void);

#endif
