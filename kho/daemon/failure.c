/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <string.h>

#include "kho/daemon/barrier.h"
#include "kho/daemon/clock.h"
#include "kho/daemon/log.h"
#include "kho/daemon/monitor.h"
#include "kho/daemon/peers.h"
#include "kho/daemon/updater-private.h"

#define WARNINGS_MAX 4096

void failure_clear(struct failure *failure)
{
	free(failure->owner);
	free(failure->region);
	free(failure->message);
	*failure = (struct failure){};
}

void failure_of_worker(struct updater *u, enum update_refusal refusal, int error, char *message,
		       size_t item)
{
	const struct region *region = NULL;

	failure_clear(&u->failure);
	if (u->outgoing && item < u->outgoing->n_items)
		region = handover_find_id(u->m->registry.tree, u->outgoing->about[item].id);
	u->failure.refusal = region ? REFUSAL_REGION : refusal;
	u->failure.message = message;
	if (!message && asprintf(&u->failure.message, "%s", strerror(-error)) < 0)
		u->failure.message = NULL;
	if (region) {
		u->failure.owner = strdup(region->owner);
		u->failure.region = strdup(region->name);
	}
}

static char *timeout_words(const struct updater *u, const struct update_cause *cause,
			   const char *owner)
{
	const struct peer *peer = peer_of_participant(u->m, cause->participant);
	_cleanup_free_ char *others = NULL;
	bool overdue = cause->event == EVENT_OVERDUE && peer;
	uint64_t usec = overdue ? peer->answer_by_usec - peer->asked_usec : u->timeout_usec;
	const char *because = peer ? peer->extended_because : NULL;
	char *words;
	int r;

	if (cause->unasked) {
		others = barrier_waits_for(u->m, cause->participant);
		r = asprintf(
			&words,
			"%s could not be told to freeze within %.3g s, as it freezes after %s; "
			"see their logs, or allow more with --kho-timeout=",
			owner, (double)usec / USEC_PER_SEC, others ?: "others");
	} else if (because)
		r = asprintf(&words,
			     "%s did not answer within %.3g s, although it had asked for more time "
			     "(%s); see its log, or allow more with --kho-timeout=",
			     owner, (double)usec / USEC_PER_SEC, because);
	else
		r = asprintf(&words,
			     "%s did not answer within %.3g s; see its log, or allow it more with "
			     "--kho-timeout=",
			     owner, (double)usec / USEC_PER_SEC);
	return r < 0 ? NULL : words;
}

static char *participant_words(const struct updater *u, const struct update_cause *cause,
			       const char *owner)
{
	char *words = NULL;
	int r = -1;

	if (cause->event == EVENT_REFUSE)
		r = asprintf(&words, "%s refuses the update: %s", owner,
			     u->refused_because ? u->refused_because : "it gave no reason");
	else if (cause->event == EVENT_LEAVE)
		r = asprintf(&words, "%s ended, or closed its connection, before it had answered",
			     owner);
	else if (cause->event == EVENT_DEADLINE || cause->event == EVENT_OVERDUE)
		return timeout_words(u, cause, owner);
	return r < 0 ? NULL : words;
}

static const char *plain_words(const struct update_cause *cause)
{
	switch (cause->event) {
	case EVENT_ABORT:
		return "the operator aborted it";
	case EVENT_OPERATOR_GONE:
		return "the program that drove the update ended before it was done";
	case EVENT_KEXEC_FAILED:
		return cause->refusal == REFUSAL_KERNEL
			       ? "the kernel refused to start the next kernel"
			       : "the shutdown that was to follow did not happen";
	case EVENT_NOT_STAGED:
		return "no kernel is loaded: /sys/kernel/kexec_loaded says 0";
	case EVENT_DEADLINE:
		return "the next step did not come in time";
	case EVENT_RECOVER:
		return "khod ended in the middle of it";
	default:
		return "khod ran into an error of its own; see its log";
	}
}

char *failure_words(const struct updater *u, const struct update_cause *cause)
{
	const struct peer *peer =
		cause->participant ? peer_of_participant(u->m, cause->participant) : NULL;
	const char *owner = peer ? peer->owner : "a participant";
	char *words = cause->participant ? participant_words(u, cause, owner) : NULL;

	return words ? words : strdup(plain_words(cause));
}

void failure_of_cause(struct updater *u, const struct update_cause *cause)
{
	const struct peer *peer =
		cause->participant ? peer_of_participant(u->m, cause->participant) : NULL;

	if (u->failure.message)
		return;
	failure_clear(&u->failure);
	u->failure.refusal = cause->refusal;
	u->failure.message = failure_words(u, cause);
	if (peer)
		u->failure.owner = strdup(peer->owner);
}

static void log_failure(struct updater *u, int level, enum message message, const char *what)
{
	log_message(level, message,
		    &(struct log_about){.tree = u->m->registry.tree,
					.owner = u->failure.owner,
					.region = u->failure.region,
					.cause = update_refusal_to_string(u->failure.refusal)},
		    "Update %s %s: %s", u->m->registry.tree->update_id, what, u->failure.message);
}

void failure_log_loss(struct updater *u, const struct update_cause *cause)
{
	failure_of_cause(u, cause);
	log_failure(u, LOG_ERR, MESSAGE_TOO_LATE, "goes on, it is too late to stop");
	monitor_event(u->m,
		      &(struct monitor_event){.event = "problem", .reason = u->failure.message});
	(void)handover_add_problem(u->m->registry.tree, "%s", u->failure.message);
	failure_clear(&u->failure);
}

void failure_log_abort(struct updater *u, const struct update_cause *cause)
{
	failure_of_cause(u, cause);
	log_failure(u, LOG_WARNING, MESSAGE_UPDATE_ABORTED, "does not happen");
	monitor_event(u->m,
		      &(struct monitor_event){.event = "abort",
					      .owner = u->failure.owner,
					      .cause = update_refusal_to_string(u->failure.refusal),
					      .reason = u->failure.message});
}

const char *failure_words_for(const struct updater *u, const struct peer *peer)
{
	static const char *const words[_REFUSAL_MAX] = {
		[REFUSAL_PARTICIPANT] = "another service refuses the update",
		[REFUSAL_REGION] = "a region of another service can't be kept",
		[REFUSAL_MEMORY] = "there is not enough memory to keep every region",
		[REFUSAL_KERNEL] = "the kernel can't do the update",
		[REFUSAL_TIMEOUT] = "somebody else did not do what is due in time",
		[REFUSAL_RECORD] = "the update could not be written down",
	};
	const struct failure *failure = &u->failure;
	uid_t uid;

	if ((unsigned int)failure->refusal >= _REFUSAL_MAX || !words[failure->refusal] ||
	    (failure->owner && !strcmp(failure->owner, peer->owner)) ||
	    (sd_varlink_get_peer_uid(peer->link, &uid) >= 0 && uid == 0))
		return failure->message;
	return words[failure->refusal];
}

void updater_warn_of(struct updater *u, enum message message, const struct log_about *about,
		     const char *format, ...)
{
	_cleanup_free_ char *line = NULL;
	size_t n = 0;
	char **lines;
	va_list ap;
	int r;

	va_start(ap, format);
	r = vasprintf(&line, format, ap);
	va_end(ap);
	if (r < 0)
		return;
	log_message(LOG_WARNING, message, about, "%s", line);
	monitor_event(u->m, &(struct monitor_event){.event = "problem", .reason = line});
	for (; u->warnings && u->warnings[n]; n++)
		;
	/* The log has them all. */
	if (n >= WARNINGS_MAX)
		return;
	lines = reallocarray(u->warnings, n + 2, sizeof(*lines));
	if (!lines)
		return;
	u->warnings = lines;
	lines[n] = TAKE_PTR(line);
	lines[n + 1] = NULL;
}
