/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <systemd/sd-json.h>

#include "kho/daemon/clock.h"
#include "kho/daemon/log.h"
#include "kho/daemon/monitor.h"
#include "kho/daemon/owner.h"
#include "kho/daemon/peers.h"
#include "kho/daemon/quota.h"
#include "kho/daemon/stopped.h"
#include "kho/daemon/updater.h"

#define CROWD_LOG_USEC (60 * USEC_PER_SEC)

static void free_names(const char *const *names)
{
	for (const char *const *name = names; name && *name; name++)
		free((char *)*name);
	free((void *)names);
}

static struct peer *peer_free(struct peer *peer)
{
	sd_varlink_unref(peer->held);
	sd_event_source_disable_unref(peer->overdue);
	free(peer->extended_because);
	free_names(peer->order.before);
	free_names(peer->order.after);
	free(peer->owner);
	free(peer);
	return NULL;
}
DEFINE_CLEANUP_FUNC(struct peer *, peer_free)

/* Not for each: who causes it must not be able to fill the log. */
static void complain_of_crowd(struct manager *m, const char *owner, size_t limit)
{
	uint64_t now = realtime_usec();

	if (now - m->crowd_usec < CROWD_LOG_USEC)
		return;
	m->crowd_usec = now;
	log_warning("%s has %zu connections: more are refused", owner, limit);
}

static int check_quota(struct manager *m, const char *owner)
{
	size_t n = 0, limit = quota_of(owner).connections;

	for (size_t i = 0; i < m->n_peers; i++)
		n += quota_is_shared(m->peers[i]->owner, owner);
	if (n < limit)
		return 0;
	complain_of_crowd(m, owner, limit);
	return -EDQUOT;
}

int peer_connect(struct manager *m, sd_varlink *link, char *owner, int pidfd)
{
	_cleanup_(peer_freep) struct peer *peer = calloc(1, sizeof(*peer));
	struct peer **peers;
	int r;

	if (!peer) {
		free(owner);
		return -ENOMEM;
	}
	*peer = (struct peer){.manager = m, .link = link, .owner = owner};
	r = check_quota(m, peer->owner);
	if (r < 0)
		return r;
	(void)sd_varlink_get_peer_pid(link, &peer->pid);
	stopped_note(m, peer->owner, pidfd);
	peers = reallocarray(m->peers, m->n_peers + 1, sizeof(*peers));
	if (!peers)
		return -ENOMEM;
	m->peers = peers;
	sd_varlink_set_userdata(link, peer);
	peers[m->n_peers++] = TAKE_PTR(peer);
	return 0;
}

static void warn_once(struct peer *peer, const char *what)
{
	if (!peer->warned)
		log_warning("%s (pid %d) %s", peer->owner, (int)peer->pid, what);
	peer->warned = true;
}

bool peer_may_call(struct peer *peer, sd_varlink_method_flags_t flags)
{
	int events = sd_varlink_get_events(peer->link), fd;

	if (flags & SD_VARLINK_METHOD_ONEWAY) {
		warn_once(peer, "makes oneway calls, which are not carried out");
		return false;
	}
	/* What could be sent has been sent before: the rest fills its socket. */
	peer->unread = events >= 0 && events & EPOLLOUT ? peer->unread + 1 : 0;
	if (peer->unread <= QUOTA_UNREAD_MAX)
		return true;
	warn_once(peer, "calls, and does not read the answers: disconnected");
	fd = sd_varlink_get_fd(peer->link);
	if (fd >= 0)
		(void)shutdown(fd, SHUT_RDWR);
	return false;
}

/* While it is still listed, so that messages can name it. */
static void participant_leaves(struct peer *peer)
{
	struct manager *m = peer->manager;

	monitor_event(m, &(struct monitor_event){.event = "left", .owner = peer->owner});
	(void)updater_feed(
		m, &(struct update_event){.kind = EVENT_LEAVE, .participant = peer->participant});
}

void peer_disconnect(sd_varlink_server *server, sd_varlink *link, void *userdata)
{
	struct manager *m = userdata;
	_cleanup_(peer_freep) struct peer *peer = sd_varlink_set_userdata(link, NULL);

	if (!peer)
		return;
	peer->gone = true;
	/* If it is khod that goes, nobody has left. */
	if (peer->participant && sd_event_get_state(m->event) != SD_EVENT_EXITING)
		participant_leaves(peer);
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

bool peer_may_veto(const struct peer *peer)
{
	return peer->manager->user_veto || owner_is_trusted(peer->owner);
}

int peer_watch(struct peer *peer, bool required, char **freeze_before, char **freeze_after)
{
	struct manager *m = peer->manager;
	int r;

	if (peer->participant)
		return -EBUSY;
	peer->participant = ++m->last_participant;
	peer->order = (struct order){.owner = peer->owner,
				     .before = (const char *const *)freeze_before,
				     .after = (const char *const *)freeze_after};
	peer_tell(peer, "watching", 0, NULL, NULL);
	r = updater_feed(m, &(struct update_event){.kind = EVENT_JOIN,
						   .participant = peer->participant,
						   .required = required && peer_may_veto(peer),
						   .order = &peer->order});
	if (r < 0) {
		peer->participant = 0;
		peer->order = (struct order){};
	} else
		peer->held = sd_varlink_ref(peer->link);
	if (r >= 0)
		monitor_event(m, &(struct monitor_event){.event = "joined", .owner = peer->owner});
	return r;
}

void peer_tell(struct peer *peer, const char *event, uint64_t timeout_usec, const char *reason,
	       const char *manner)
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
		SD_JSON_BUILD_PAIR_CONDITION(!!manner, "manner", SD_JSON_BUILD_STRING(manner)),
		SD_JSON_BUILD_PAIR_CONDITION(!!reason, "reason", SD_JSON_BUILD_STRING(reason)));
	if (r < 0)
		log_warning("%s (pid %d) can't be told of %s: %s", peer->owner, (int)peer->pid,
			    event, strerror(-r));
}

bool owner_watches(const struct manager *m, const char *owner)
{
	for (size_t i = 0; i < m->n_peers; i++)
		if (!m->peers[i]->gone && m->peers[i]->participant &&
		    !strcmp(m->peers[i]->owner, owner))
			return true;
	return false;
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
