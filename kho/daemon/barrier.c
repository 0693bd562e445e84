/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <systemd/sd-json.h>

#include "kho/core/text.h"
#include "kho/daemon/barrier.h"
#include "kho/daemon/clock.h"
#include "kho/daemon/log.h"
#include "kho/daemon/monitor.h"
#include "kho/daemon/updater-private.h"

static uint64_t now_usec(const struct updater *u)
{
	uint64_t now;

	return sd_event_now(u->m->event, CLOCK_BOOTTIME, &now) < 0 ? 0 : now;
}

static uint64_t left_until(uint64_t end, uint64_t now)
{
	return end > now ? end - now : 0;
}

void barrier_begin(struct updater *u, uint64_t usec)
{
	u->phase_end_usec = now_usec(u) + usec;
}

static int on_overdue(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct peer *peer = userdata;

	/* Of an answer that has come, or of a phase that is over, nobody need know. */
	(void)updater_feed(peer->manager, &(struct update_event){.kind = EVENT_OVERDUE,
								 .participant = peer->participant,
								 .refusal = REFUSAL_TIMEOUT});
	return 0;
}

static void start_timer(struct peer *peer, uint64_t now, uint64_t usec)
{
	int r;

	peer->overdue = sd_event_source_disable_unref(peer->overdue);
	peer->answer_by_usec = now + usec;
	r = sd_event_add_time(peer->manager->event, &peer->overdue, CLOCK_BOOTTIME,
			      peer->answer_by_usec, 0, on_overdue, peer);
	if (r < 0)
		log_warning("No timer for the answer of %s: %s", peer->owner, strerror(-r));
}

static void forget_question(struct peer *peer)
{
	peer->overdue = sd_event_source_disable_unref(peer->overdue);
	free(TAKE_PTR(peer->extended_because));
}

/* Microseconds that it has; 0: its answer is not waited for. */
static uint64_t ask(struct updater *u, struct peer *peer)
{
	const struct update_participant *p = update_find(u->m->update, peer->participant);
	uint64_t now = now_usec(u), left = left_until(u->phase_end_usec, now);
	uint64_t usec = u->timeout_usec / 2 < left ? u->timeout_usec / 2 : left;

	forget_question(peer);
	peer->asked_usec = now;
	if (!p || p->answer != ANSWER_ASKED || !u->m->update->asking)
		return 0;
	start_timer(peer, now, usec);
	return usec;
}

/* How what an owner has, or may still register, goes to the next kernel. */
static const char *manner_for(const struct updater *u, const char *owner)
{
	const struct handover *tree = u->m->registry.tree;
	bool copied = u->copies->all;

	for (size_t i = 0; !copied && i < tree->n_regions; i++)
		copied = !strcmp(tree->regions[i]->owner, owner) &&
			 copies_take(u->copies, tree->regions[i]);
	return copied ? "copy" : "in-place";
}

void barrier_tell(struct updater *u, uint32_t participant, const char *event)
{
	struct peer *peer = peer_of_participant(u->m, participant);
	bool asks = strcmp(event, "resume");
	const char *reason;
	uint64_t usec = 0;

	if (!peer || peer->gone)
		return;
	reason = asks ? NULL : failure_words_for(u, peer);
	if (asks)
		usec = ask(u, peer);
	else
		forget_question(peer);
	peer_tell(peer, event, usec, reason, asks ? manner_for(u, peer->owner) : NULL);
	monitor_event(u->m, &(struct monitor_event){.event = "told",
						    .owner = peer->owner,
						    .phase = event,
						    .reason = reason});
}

int barrier_extend(struct peer *peer, enum update_phase phase, uint64_t usec, const char *reason,
		   uint64_t *ret_usec)
{
	struct manager *m = peer->manager;
	uint64_t now = now_usec(m->updater), left = left_until(m->updater->phase_end_usec, now);
	uint64_t had = left_until(peer->answer_by_usec, now);
	int r = updater_feed(m, &(struct update_event){.kind = EVENT_EXTEND,
						       .participant = peer->participant,
						       .phase = phase});

	if (r < 0)
		return r;
	usec = usec < left ? usec : left;
	*ret_usec = usec > had ? usec : had;
	start_timer(peer, now, *ret_usec);
	free(peer->extended_because);
	peer->extended_because = reason ? text_format(REGION_REASON_MAX, "%s", reason) : NULL;
	log_info("%s asks for more time and has %.1f s: %s", peer->owner,
		 (double)*ret_usec / USEC_PER_SEC, peer->extended_because ?: "it gave no reason");
	monitor_event(
		m, &(struct monitor_event){.event = "extended",
					   .owner = peer->owner,
					   .phase = phase == PHASE_PREPARE ? "prepare" : "freeze",
					   .reason = peer->extended_because});
	return 0;
}

int barrier_find_cycle(const struct peer *peer, const struct order *order, char **ret)
{
	const struct manager *m = peer->manager;
	_cleanup_free_ const struct order **orders = NULL;
	size_t n = 0;

	orders = calloc(m->n_peers + 1, sizeof(*orders));
	if (!orders)
		return -ENOMEM;
	for (size_t i = 0; i < m->n_peers; i++)
		if (m->peers[i]->participant)
			orders[n++] = &m->peers[i]->order;
	orders[n++] = order;
	return order_find_cycle(orders, n, ret);
}

static bool keeps_waiting(const struct update_participant *other,
			  const struct update_participant *p)
{
	return other->id != p->id &&
	       (other->answer == ANSWER_ASKED || other->answer == ANSWER_WAITING ||
		other->answer == ANSWER_LEFT_BEHIND) &&
	       order_precedes(other->order, p->order);
}

static int owners_waited_for(const struct manager *m, const struct update_participant *p,
			     sd_json_variant **ret)
{
	sd_json_variant *owners = NULL;
	int r = sd_json_variant_new_array(&owners, NULL, 0);

	for (size_t i = 0; r >= 0 && i < m->update->n_participants; i++) {
		const struct update_participant *other = &m->update->participants[i];

		if (keeps_waiting(other, p))
			r = sd_json_variant_append_arrayb(
				&owners, SD_JSON_BUILD_STRING(other->order->owner));
	}
	*ret = owners;
	return r;
}

char *barrier_waits_for(const struct manager *m, uint32_t participant)
{
	const struct update_participant *p = update_find(m->update, participant);
	char *text = NULL;

	for (size_t i = 0; p && i < m->update->n_participants; i++) {
		const struct update_participant *other = &m->update->participants[i];
		_cleanup_free_ char *before = text;

		if (!keeps_waiting(other, p)) {
			text = TAKE_PTR(before);
			continue;
		}
		text = text_format(REGION_REASON_MAX, "%s%s%s", before ?: "", before ? ", " : "",
				   other->order->owner);
	}
	return text;
}

static int participant_to_json(const struct manager *m, const struct peer *peer,
			       const struct update_participant *p, sd_json_variant **array)
{
	const char *because = peer->extended_because;
	const struct order *order = &peer->order;
	sd_json_variant *after = NULL;
	int r = 0;

	if (p->answer == ANSWER_WAITING)
		r = owners_waited_for(m, p, &after);
	if (r >= 0)
		r = sd_json_variant_append_arraybo(
			array, SD_JSON_BUILD_PAIR_UNSIGNED("participant", p->id),
			SD_JSON_BUILD_PAIR_STRING("owner", peer->owner),
			SD_JSON_BUILD_PAIR_INTEGER("pid", peer->pid),
			SD_JSON_BUILD_PAIR_BOOLEAN("required", p->required),
			SD_JSON_BUILD_PAIR_STRING("state", update_answer_to_string(p->answer)),
			SD_JSON_BUILD_PAIR_BOOLEAN("extended", p->extended),
			SD_JSON_BUILD_PAIR_CONDITION(p->extended && because, "reason",
						     SD_JSON_BUILD_STRING(because)),
			SD_JSON_BUILD_PAIR_CONDITION(!!order->before, "freezeBefore",
						     SD_JSON_BUILD_STRV((char **)order->before)),
			SD_JSON_BUILD_PAIR_CONDITION(!!order->after, "freezeAfter",
						     SD_JSON_BUILD_STRV((char **)order->after)),
			SD_JSON_BUILD_PAIR_CONDITION(!!after, "waitsFor",
						     SD_JSON_BUILD_VARIANT(after)));
	sd_json_variant_unref(after);
	return r;
}

int barrier_participants(const struct manager *m, bool open, sd_json_variant **ret)
{
	sd_json_variant *array = NULL;
	int r = sd_json_variant_new_array(&array, NULL, 0);

	for (size_t i = 0; r >= 0 && i < m->n_peers; i++) {
		const struct peer *peer = m->peers[i];
		const struct update_participant *p =
			peer->participant ? update_find(m->update, peer->participant) : NULL;

		if (!p || (open && p->answer != ANSWER_ASKED && p->answer != ANSWER_WAITING))
			continue;
		r = participant_to_json(m, peer, p, &array);
	}
	if (r < 0)
		sd_json_variant_unref(array);
	else
		*ret = array;
	return r;
}
