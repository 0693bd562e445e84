/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <systemd/sd-json.h>

#include "kho/core/text.h"
#include "kho/daemon/barrier.h"
#include "kho/daemon/handover-error.h"
#include "kho/daemon/participant-methods.h"
#include "kho/daemon/quota.h"
#include "kho/daemon/updater.h"

struct watch_parameters {
	int required;
	char **freeze_before, **freeze_after;
};

static void watch_parameters_done(struct watch_parameters *p)
{
	for (char **name = p->freeze_before; name && *name; name++)
		free(*name);
	for (char **name = p->freeze_after; name && *name; name++)
		free(*name);
	free(p->freeze_before);
	free(p->freeze_after);
}

/* 0, or 1: they can't be, and the error has been sent. */
static int check_names(struct peer *peer, const char *field, char **names, bool others)
{
	size_t n = 0;

	for (char **name = names; name && *name; name++, n++) {
		size_t length = strlen(*name);

		if (length == 0 || length > REGION_OWNER_MAX || !text_is_printable(*name, length) ||
		    n == ORDER_NAMES_MAX)
			return sd_varlink_error_invalid_parameter_name(peer->link, field) < 0 ? -EIO
											      : 1;
		if (others || owner_is_trusted(peer->owner) || quota_is_shared(peer->owner, *name))
			continue;
		return handover_message(
			       peer, "OrderNotAllowed",
			       "%s can't have %s wait for it: a user's participants freeze "
			       "before others of the same user only; freezeAfter is free",
			       peer->owner, *name) < 0
			       ? -EIO
			       : 1;
	}
	return 0;
}

/* 0, or 1: there is one, and the error has been sent. */
static int check_cycle(struct peer *peer, const struct watch_parameters *p)
{
	_cleanup_free_ char *cycle = NULL, *shown = NULL, *message = NULL;
	int r = barrier_find_cycle(peer,
				   &(struct order){.owner = peer->owner,
						   .before = (const char *const *)p->freeze_before,
						   .after = (const char *const *)p->freeze_after},
				   &cycle);

	if (r != -ELOOP)
		return r;
	/* Each name is short; there may be many. */
	shown = text_format(REGION_REASON_MAX, "%s", cycle);
	if (!shown || asprintf(&message,
			       "the order in which participants freeze would go in a circle: %s "
			       "(each freezes before the next)",
			       shown) < 0)
		return -ENOMEM;
	r = sd_varlink_errorbo(peer->link, HANDOVER_ERROR("OrderCycle"),
			       SD_JSON_BUILD_PAIR_STRING("cycle", shown),
			       SD_JSON_BUILD_PAIR_STRING("message", message));
	return r < 0 ? r : 1;
}

static int watch(struct peer *peer, struct watch_parameters *p)
{
	int r = check_names(peer, "freezeBefore", p->freeze_before, false);

	if (r == 0)
		r = check_names(peer, "freezeAfter", p->freeze_after, true);
	if (r == 0)
		r = check_cycle(peer, p);
	if (r == 0) {
		r = peer_watch(peer, p->required != 0, p->freeze_before, p->freeze_after);
		if (r >= 0)
			p->freeze_before = p->freeze_after = NULL;
	}
	return r < 0 ? r : 0;
}

int watch_method(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
		 void *userdata)
{
	static const sd_json_dispatch_field table[] = {
		{"required", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_tristate,
		 offsetof(struct watch_parameters, required), SD_JSON_NULLABLE},
		{"freezeBefore", SD_JSON_VARIANT_ARRAY, sd_json_dispatch_strv,
		 offsetof(struct watch_parameters, freeze_before), SD_JSON_NULLABLE},
		{"freezeAfter", SD_JSON_VARIANT_ARRAY, sd_json_dispatch_strv,
		 offsetof(struct watch_parameters, freeze_after), SD_JSON_NULLABLE},
		{}};
	_cleanup_(watch_parameters_done) struct watch_parameters p = {.required = true};
	int r;

	if (!peer_may_call(userdata, flags))
		return 0;
	r = sd_varlink_dispatch(link, parameters, table, &p);
	return r != 0 ? r : watch(userdata, &p);
}

/* What is said to prepare or freeze. */
struct answer {
	uint32_t participant;
	const char *update;
	const char *phase;
	const char *reason;
	int accept;	       /* of Acknowledge */
	uint64_t timeout_usec; /* of ExtendTimeout */
};

#define ANSWER_FIELDS                                                                              \
	{"participant", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint32,                    \
	 offsetof(struct answer, participant), SD_JSON_MANDATORY},                                 \
		{"update", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,                  \
		 offsetof(struct answer, update), SD_JSON_MANDATORY},                              \
		{"phase", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,                   \
		 offsetof(struct answer, phase), SD_JSON_MANDATORY},                               \
	{                                                                                          \
		"reason", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,                   \
			offsetof(struct answer, reason), SD_JSON_NULLABLE                          \
	}

static enum update_phase phase_of(const struct answer *answer)
{
	return strcmp(answer->phase, "prepare") ? PHASE_FREEZE : PHASE_PREPARE;
}

/* 0: *ret is the participant that the answer is of. 1: it is of none, or of another update, and the
 * error has been sent.
 */
static int find_watcher(struct peer *peer, const struct answer *answer, struct peer **ret)
{
	struct manager *m = peer->manager;
	struct peer *watcher =
		answer->participant ? peer_of_participant(m, answer->participant) : NULL;
	int r;

	if (!watcher || strcmp(watcher->owner, peer->owner))
		r = sd_varlink_errorbo(
			peer->link, HANDOVER_ERROR("NoSuchParticipant"),
			SD_JSON_BUILD_PAIR_UNSIGNED("participant", answer->participant),
			SD_JSON_BUILD_PAIR_STRING("message",
						  "nobody of this owner watches by that number"));
	else if (strcmp(answer->phase, "prepare") && strcmp(answer->phase, "freeze"))
		r = sd_varlink_error_invalid_parameter_name(peer->link, "phase");
	else if (updater_is_current(m, answer->update) < 0)
		r = handover_update_in_progress(peer, "this can't be acknowledged");
	else {
		*ret = watcher;
		return 0;
	}
	return r < 0 ? r : 1;
}

static int acknowledge(struct peer *peer, const struct answer *answer)
{
	struct manager *m = peer->manager;
	bool accept = answer->accept > 0;
	int r;

	if (!accept)
		updater_note_refusal(m, answer->reason);
	r = updater_feed(m, &(struct update_event){.kind = accept ? EVENT_ACCEPT : EVENT_REFUSE,
						   .participant = answer->participant,
						   .phase = phase_of(answer),
						   .refusal = REFUSAL_PARTICIPANT});
	return r < 0 ? handover_update_in_progress(peer, "this can't be acknowledged")
		     : sd_varlink_reply(peer->link, NULL);
}

int acknowledge_method(sd_varlink *link, sd_json_variant *parameters,
		       sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field table[] = {
		ANSWER_FIELDS,
		{"accept", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_tristate,
		 offsetof(struct answer, accept), SD_JSON_MANDATORY},
		{}};
	struct peer *peer = userdata, *watcher;
	struct answer answer = {};
	int r;

	if (!peer_may_call(userdata, flags))
		return 0;
	r = sd_varlink_dispatch(link, parameters, table, &answer);
	if (r == 0)
		r = find_watcher(peer, &answer, &watcher);
	return r != 0 ? (r < 0 ? r : 0) : acknowledge(peer, &answer);
}

static int extend(struct peer *peer, struct peer *watcher, const struct answer *answer)
{
	uint64_t usec;
	int r = barrier_extend(watcher, phase_of(answer), answer->timeout_usec, answer->reason,
			       &usec);

	if (r == -EALREADY)
		return handover_message(
			peer, "AlreadyExtended",
			"%s has asked for more time to %s already: it can do so once", peer->owner,
			answer->phase);
	if (r < 0)
		return handover_update_in_progress(peer, "nothing is asked that more time is for");
	return sd_varlink_replybo(peer->link, SD_JSON_BUILD_PAIR_UNSIGNED("timeoutUSec", usec));
}

int extend_timeout_method(sd_varlink *link, sd_json_variant *parameters,
			  sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field table[] = {
		ANSWER_FIELDS,
		{"timeoutUSec", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64,
		 offsetof(struct answer, timeout_usec), SD_JSON_MANDATORY},
		{}};
	struct peer *peer = userdata, *watcher;
	struct answer answer = {};
	int r;

	if (!peer_may_call(userdata, flags))
		return 0;
	r = sd_varlink_dispatch(link, parameters, table, &answer);
	if (r == 0)
		r = find_watcher(peer, &answer, &watcher);
	return r != 0 ? (r < 0 ? r : 0) : extend(peer, watcher, &answer);
}
