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
	struct order order;   /* what it says about when it freezes; its names are the peer's */
	uint32_t participant; /* 0: does not watch */
	size_t unread;	      /* calls since it last had read all answers */
	bool warned;	      /* of what it does wrong; once is enough */
	bool gone;	      /* the connection is closed */

	/* Of the question that it was told last; see barrier.h. CLOCK_BOOTTIME. */
	uint64_t asked_usec, answer_by_usec;
	sd_event_source *overdue; /* NULL: its answer is not waited for */
	char *extended_because;	  /* NULL: it gave no reason, or has not asked for more time */
};

/* Makes a peer of a new connection; the link's userdata is its peer. owner is the peer's from here;
 * pidfd is of its process, not of one in between, or negative.
 * Errors: -EDQUOT it is one too many of its owner.
 */
int peer_connect(struct manager *m, sd_varlink *link, char *owner, int pidfd);

/* Whether a call is to be carried out. A oneway call is not, since nobody would hear how it went. A
 * peer that goes on calling without reading is disconnected: its answers, and their fds, would pile
 * up here.
 */
bool peer_may_call(struct peer *peer, sd_varlink_method_flags_t flags);

/* For sd_varlink_server_bind_disconnect. */
void peer_disconnect(sd_varlink_server *server, sd_varlink *link, void *userdata);

void peers_free(struct manager *m);

/* NULL: gone by now. */
struct peer *peer_of_participant(const struct manager *m, uint32_t participant);

/* Whether what this peer marks as required counts as such: any user could stop every update, for
 * ever, if it always did.
 */
bool peer_may_veto(const struct peer *peer);

/* Makes the peer a participant, which freezes in that order: arrays that end with NULL, or NULL,
 * the peer's from here on success. Errors: -EBUSY it is one already; update_feed's.
 */
int peer_watch(struct peer *peer, bool required, char **freeze_before, char **freeze_after);

/* Sends an event of io.kho.Handover.Watch; timeout_usec 0, and NULL, are left out. */
void peer_tell(struct peer *peer, const char *event, uint64_t timeout_usec, const char *reason,
	       const char *manner);

/* Whether anybody of that owner takes part in updates. */
bool owner_watches(const struct manager *m, const char *owner);

/* Whether every participant of that owner, and at least one, has accepted the freeze. */
bool owner_has_frozen(const struct manager *m, const char *owner);

#endif
