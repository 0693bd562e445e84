/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_UPDATER_PRIVATE_H
#define KHO_DAEMON_UPDATER_PRIVATE_H

#include "kho/daemon/log.h"
#include "kho/daemon/copies.h"
#include "kho/daemon/outgoing.h"
#include "kho/daemon/updater.h"

/* Why the update does not happen, in words; the strings are NULL where they do not apply. */
struct failure {
	enum update_refusal refusal;
	char *owner;
	char *region;
	char *message;
};

/* The update in progress: updater.c carries out what the machine says, updater-work.c
 * what of it blocks; operator.c answers the operator's calls, failure.c finds the words.
 */
struct updater {
	struct manager *m;
	bool draining; /* actions are being carried out further up the stack */
	struct outgoing *outgoing;
	uint64_t timeout_usec;	 /* the operator's bound on each phase */
	uint64_t phase_end_usec; /* of the phase that participants are in; CLOCK_BOOTTIME */
	struct copies *copies;	 /* while an update is in progress */
	size_t n_digested;
	char **warnings; /* NULL-terminated; NULL: none */

	struct failure failure;
	char *refused_because; /* what the participant said that refused last; NULL: nothing */

	sd_event_source *deadline;
	int execution_pidfd; /* who may call reboot(2) any moment; negative: nobody */
	sd_event_source *ticker;
	sd_varlink *operator; /* whose call waits, and who owns the update; NULL: nobody */
	bool more;
	sd_varlink **aborts;
	size_t n_aborts;
};

/* updater.c */

/* Feeds what a timer or a worker brings. */
void updater_report(struct updater *u, enum update_event_kind kind, enum update_refusal refusal);

/* The time that the operator has to call reboot(2) begins anew. */
void updater_extend_frozen(struct updater *u);

/* updater-work.c */

/* What keeps regions in place on this kernel, beside what goes by copy. */
const struct transport *transport_for(const struct manager *m, const struct copies *copies);

/* The same for the update in progress. */
const struct transport *updater_transport(const struct updater *u);

/* The workers that the machine asks for. */
void updater_check(struct updater *u);
void updater_preserve(struct updater *u);
void updater_preserve_late(struct updater *u);
void updater_record(struct updater *u);
void updater_release(struct updater *u);
void updater_cancel_work(struct updater *u);

/* failure.c */

void failure_clear(struct failure *failure);

/* Takes over message, which may be NULL; says what was wrong with the worker's item, if with one.
 */
void failure_of_worker(struct updater *u, enum update_refusal refusal, int error, char *message,
		       size_t item);

/* Why it is, in words; the caller's to free. NULL: out of memory. */
char *failure_words(const struct updater *u, const struct update_cause *cause);

/* Puts the cause of an abort into words, unless a worker has done so. */
void failure_of_cause(struct updater *u, const struct update_cause *cause);

/* An abort, and what comes too late for one: in the log, for who monitors, and in the tree. */
void failure_log_abort(struct updater *u, const struct update_cause *cause);
void failure_log_loss(struct updater *u, const struct update_cause *cause);

/* What a participant is told of why the update does not happen: all, if it is its own fault, or if
 * it is root; of others' names and regions nothing. Valid as long as u->failure.
 */
const char *failure_words_for(const struct updater *u, const struct peer *peer);

/* Adds a line to the operator's warnings, and to the log. */
void updater_warn_of(struct updater *u, enum message message, const struct log_about *about,
		     const char *format, ...) __attribute__((format(printf, 4, 5)));
#define updater_warn(u, ...)                                                                       \
	updater_warn_of(u, MESSAGE_UPDATE_WARNING,                                                 \
			&(struct log_about){.tree = (u)->m->registry.tree}, __VA_ARGS__)

/* operator.c */

void operator_reply_prepared(struct updater *u);
void operator_reply_staged(struct updater *u);
void operator_reply_frozen(struct updater *u);
void operator_reply_committed(struct updater *u);
void operator_reply_refused(struct updater *u);
void operator_reply_aborted(struct updater *u);

/* Sends progress to a `more` call, now and then, until it is stopped. */
void operator_show_progress(struct updater *u);
void operator_stop_progress(struct updater *u);

#endif
