/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_QUOTA_H
#define KHO_DAEMON_QUOTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Connections of all services, and of the operator's tools. */
#define QUOTA_CONNECTIONS_MAX 8192
#define QUOTA_OPERATORS_MAX 512
/* Calls that a peer may have answered and unread. */
#define QUOTA_UNREAD_MAX 256

/* What one account may have, so that it leaves something for the others. A unit of the system is an
 * account, and root outside of units; all that is a user's is one: it makes as many units as it
 * likes.
 */
struct quota {
	size_t connections;
	size_t regions;
	uint64_t bytes; /* of all regions, UINT64_MAX: no limit */
};

struct quota quota_of(const char *owner);

/* Whether it is root's, or a unit of the system, which only root makes. */
bool owner_is_trusted(const char *owner);

/* Whether both owners are on one account. */
bool quota_is_shared(const char *owner, const char *other);

#endif
