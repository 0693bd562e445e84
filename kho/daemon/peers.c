/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <systemd/sd-json.h>

#include "kho/daemon/log.h"
#include "kho/daemon/monitor.h"
#include "kho/daemon/owner.h"
#include "kho/daemon/peers.h"
#include "kho/daemon/updater.h"

static struct peer *peer_free(struct peer *peer)
{
	sd_varlink_unref(peer->held);
	free(peer->owner);
	free(peer);
	return NULL;
}
DEFINE_CLEANUP_FUNC(struct peer *, peer_free)

int peer_connect(sd_varlink_server *server, sd_varlink *link, void *userdata)
{
	struct manager *m = userdata;
	_cleanup_(peer_freep) struct peer *peer = calloc(1, sizeof(*peer));
	struct peer **peers;
	int r;

	if (!peer)
		return -ENOMEM;
	*peer = (struct peer){.manager = m, .link = link};
	r = owner_of_peer(link, &peer->owner);
	if (r < 0)
		return r;
	(void)sd_varlink_get_peer_pid(link, &peer->pid);
	peers = reallocarray(m->peers, m->n_peers + 1, sizeof(*peers));
	if (!peers)
		return -ENOMEM;
	m->peers = peers;
	sd_varlink_set_userdata(link, peer);
	peers[m->n_peers++] = TAKE_PTR(peer);
	return 0;
}

void peer_disconnect(sd_varlink_server *server, sd_varlink *link, void *userdata)
{
	struct manager *m = userdata;
	_cleanup_(peer_freep) struct peer *peer = sd_varlink_set_userdata(link, NULL);

	if (!peer)
		return;
	peer->gone = true;
	if (peer->participant)
		monitor_event(m, &(struct monitor_event){.event = "left", .owner = peer->owner});
	/* While it is still listed, so that messages can name it. */
	if (peer->participant)
		(void)updater_feed(m, &(struct update_event){.kind = EVENT_LEAVE,
							     .participant = peer->participant});
	for (size_t i = 0; i < m->n_peers; i++)
		if (m->peers[i] == peer) {
			m->peers[i] = m->peers[--m->n_peers];
			break;
		}
}

void peers_free(struct manager *m)
{
	while (m->n_peers > 0)
		peer_free(m->peers[--m->n_peers]);
	free(m->peers);
	m->peers = NULL;
}

struct peer *peer_of_participant(const struct manager *m, uint32_t participant)
{
	for (size_t i = 0; i < m->n_peers; i++)
		if (m->peers[i]->participant == participant)
			return m->peers[i];
	return NULL;
}

int peer_watch(struct peer *peer, bool required)
{
	struct manager *m = peer->manager;
	int r;

	if (peer->participant)
		return -EBUSY;
	peer->participant = ++m->last_participant;
	peer_tell(peer, "watching", 0, NULL);
	r = updater_feed(m, &(struct update_event){.kind = EVENT_JOIN,
						   .participant = peer->participant,
						   .required = required});
	if (r < 0)
		peer->participant = 0;
	else
		peer->held = sd_varlink_ref(peer->link);
	if (r >= 0)
		monitor_event(m, &(struct monitor_event){.event = "joined", .owner = peer->owner});
	return r;
}

void peer_tell(struct peer *peer, const char *event, uint64_t timeout_usec, const char *reason)
{
	const char *update = peer->manager->registry.tree->update_id;
	int r;

	if (peer->gone)
		return;
	r = sd_varlink_notifybo(
		peer->link, SD_JSON_BUILD_PAIR_STRING("event", event),
		SD_JSON_BUILD_PAIR_UNSIGNED("participant", peer->participant),
		SD_JSON_BUILD_PAIR_CONDITION(update && strcmp(event, "watching"), "update",
					     SD_JSON_BUILD_STRING(update)),
		SD_JSON_BUILD_PAIR_CONDITION(timeout_usec > 0, "timeoutUSec",
					     SD_JSON_BUILD_UNSIGNED(timeout_usec)),
		SD_JSON_BUILD_PAIR_CONDITION(!!reason, "reason", SD_JSON_BUILD_STRING(reason)));
	if (r < 0)
		log_warning("%s (pid %d) can't be told of %s: %s", peer->owner, (int)peer->pid,
			    event, strerror(-r));
}

bool owner_has_frozen(const struct manager *m, const char *owner)
{
	bool any = false;

	for (size_t i = 0; i < m->n_peers; i++) {
		const struct peer *peer = m->peers[i];
		const struct update_participant *p;

		if (peer->gone || !peer->participant || strcmp(peer->owner, owner))
			continue;
		p = update_find(m->update, peer->participant);
		if (!p || p->answer != ANSWER_ACCEPTED)
			return false;
		any = true;
	}
	return any;
}
