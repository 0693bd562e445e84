/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_UPDATER_H
#define KHO_DAEMON_UPDATER_H

#include "kho/daemon/copies.h"
#include "kho/daemon/manager.h"

/* How long a phase takes at most in which participants answer, unless the operator says it. */
#define UPDATE_TIMEOUT_USEC (60 * UINT64_C(1000000))

/* What Prepare asks for. */
struct update_request {
	const char *image;	  /* NULL: not known */
	const char *next_release; /* NULL: not known */
	uint64_t digest_size_max; /* bytes */
	uint64_t timeout_usec;	  /* the bound for all participants to prepare */
	int forced;		  /* the operator overrode the check of the next kernel */
	struct copy_request copy;
};

int updater_new(struct manager *m, struct updater **ret);
struct updater *updater_free(struct updater *u);

/* Feeds the machine and carries its actions out. Errors: update_feed's. */
int updater_feed(struct manager *m, const struct update_event *event);

/* The operator's calls; each is answered when the machine says so, unless this returns an error. */
int updater_prepare(struct manager *m, sd_varlink *link, const struct update_request *request,
		    bool more);
int updater_staged(struct manager *m, sd_varlink *link);
int updater_freeze(struct manager *m, sd_varlink *link, uint64_t timeout_usec, bool more);
int updater_commit(struct manager *m, sd_varlink *link);
/* called_off: the shutdown of a committed update does not happen, and the caller knows. */
int updater_abort(struct manager *m, sd_varlink *link, const char *reason, bool called_off);

/* An orderly shutdown into whatever kernel is loaded has begun: commits what is staged, or, if
 * nothing is, keeps what can be kept. -EBUSY: not in this state.
 */
int updater_shutdown(struct manager *m, const struct update_request *request);

/* The connection is closed; it may be the one that owns the update. */
void updater_operator_gone(struct manager *m, sd_varlink *link);

/* Goes on, in the same kernel, with an update that khod left off when it ended. */
int updater_recover(struct manager *m, int *session_fds, size_t n_session_fds, int signpost);

/* Whether a region can be forgotten now: none that an update holds, or is about to. What has no
 * memory here, the record of a lost one, always can.
 */
bool updater_lets_go(const struct manager *m, const struct region *region);

/* Before the region is removed from the registry. */
void updater_forget(struct manager *m, const struct region *region);

/* What a participant says when it refuses; for the operator to read. */
void updater_note_refusal(struct manager *m, const char *reason);

/* Progress of io.kho.Manager; *ret is NULL while nothing goes on. */
int updater_progress(const struct manager *m, sd_json_variant **ret);

/* Whether the call may end: no -ENOENT if update names another update than the one in progress. */
int updater_is_current(const struct manager *m, const char *update);

#endif
