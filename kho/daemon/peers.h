/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_PEERS_H
#define KHO_DAEMON_PEERS_H

#include "kho/daemon/manager.h"

/* A connection of a service. It is a participant while its Watch call lasts. */
struct peer {
	struct manager *manager;
	sd_varlink *link;
	sd_varlink
		*held; /* the same, once it watches: sd-varlink ends a call that nobody refers to */
	char *owner;
	pid_t pid;
	uint32_t participant; /* 0: does not watch */
	bool gone;	      /* the connection is closed */
};

/* For sd_varlink_server_bind_connect and _disconnect; the link's userdata is its peer. */
int peer_connect(sd_varlink_server *server, sd_varlink *link, void *userdata);
void peer_disconnect(sd_varlink_server *server, sd_varlink *link, void *userdata);

void peers_free(struct manager *m);

/* NULL: gone by now. */
struct peer *peer_of_participant(const struct manager *m, uint32_t participant);

/* Makes the peer a participant. Errors: -EBUSY it is one already; update_feed's. */
int peer_watch(struct peer *peer, bool required);

/* Sends an event of io.kho.Handover.Watch; timeout_usec 0 and reason NULL are left out. */
void peer_tell(struct peer *peer, const char *event, uint64_t timeout_usec, const char *reason);

/* Whether every participant of that owner, and at least one, has accepted the freeze. */
bool owner_has_frozen(const struct manager *m, const char *owner);

#endif
