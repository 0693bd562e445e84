/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_OWNER_H
#define KHO_DAEMON_OWNER_H

#include <systemd/sd-varlink.h>

/* Who the peer of a connection is, and will be again after a reboot: "UNIT" for a system service,
 * "uid:N/UNIT" for a service of a user manager, "uid:N" for all else, since a scope has another
 * name at every boot. From the peer's pidfd, so that no reused pid can pose as somebody.
 */
int owner_of_peer(sd_varlink *link, char **ret);

/* The same of a process; pidfd: negative if the kernel gives none. */
int owner_of(uid_t uid, int pidfd, char **ret);

#endif
