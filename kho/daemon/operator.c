/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <systemd/sd-id128.h>
#include <systemd/sd-json.h>

#include "kho/client/format.h"
#include "kho/core/text.h"
#include "kho/daemon/barrier.h"
#include "kho/daemon/clock.h"
#include "kho/daemon/execution.h"
#include "kho/daemon/fdstore.h"
#include "kho/daemon/kept-copies.h"
#include "kho/daemon/log.h"
#include "kho/daemon/peers.h"
#include "kho/daemon/updater-private.h"

#define PROGRESS_USEC (USEC_PER_SEC / 4)

static bool is_copying(const struct manager *m)
{
	return m->updater->copies && m->updater->copies->copying;
}

static const char *phase_of_work(const struct manager *m)
{
	switch (m->update->work) {
	case WORK_CHECK:
		return "check";
	case WORK_PRESERVE:
	case WORK_PRESERVE_LATE:
		return "preserve";
	case WORK_RECORD:
		return is_copying(m) ? "copy" : "record";
	case WORK_RELEASE:
		return "release";
	default:
		return m->update->state == UPDATE_PREPARING ? "prepare" : "freeze";
	}
}

static bool has_string(sd_json_variant *array, const char *string)
{
	for (size_t i = 0; i < sd_json_variant_elements(array); i++)
		if (!strcmp(sd_json_variant_string(sd_json_variant_by_index(array, i)), string))
			return true;
	return false;
}

static int waiting_owners(const struct manager *m, sd_json_variant **ret)
{
	sd_json_variant *owners = NULL;
	int r = sd_json_variant_new_array(&owners, NULL, 0);

	for (size_t i = 0; r >= 0 && i < m->update->n_participants; i++) {
		const struct update_participant *p = &m->update->participants[i];
		const struct peer *peer = peer_of_participant(m, p->id);

		if ((p->answer == ANSWER_ASKED || p->answer == ANSWER_WAITING) && peer &&
		    !has_string(owners, peer->owner))
			r = sd_json_variant_append_arrayb(&owners,
							  SD_JSON_BUILD_STRING(peer->owner));
	}
	*ret = owners;
	return r;
}

static void count_done(const struct manager *m, uint64_t *ret_done, uint64_t *ret_total)
{
	const struct outgoing *o = m->updater->outgoing;
	const struct copies *c = m->updater->copies;

	/* The first item is the tree, of which no operator knows. */
	*ret_total = o ? o->n_items - 1 : 0;
	*ret_done = o ? (uint64_t)o->n_done : 0;
	if (is_copying(m)) {
		*ret_total = c->n_items;
		*ret_done = c->n_copied;
	}
}

int updater_progress(const struct manager *m, sd_json_variant **ret)
{
	uint64_t total, done;
	sd_json_variant *owners = NULL, *waiting = NULL;
	int r;

	*ret = NULL;
	if (!m->update->asking && m->update->work == WORK_NONE)
		return 0;
	count_done(m, &done, &total);
	r = waiting_owners(m, &owners);
	if (r >= 0)
		r = barrier_participants(m, true, &waiting);
	if (r >= 0)
		r = sd_json_buildo(ret, SD_JSON_BUILD_PAIR_STRING("phase", phase_of_work(m)),
				   SD_JSON_BUILD_PAIR_UNSIGNED("done", done < total ? done : total),
				   SD_JSON_BUILD_PAIR_UNSIGNED("total", total),
				   SD_JSON_BUILD_PAIR_VARIANT("waitingFor", owners),
				   SD_JSON_BUILD_PAIR_VARIANT("waiting", waiting));
	sd_json_variant_unref(waiting);
	sd_json_variant_unref(owners);
	return r;
}

static int on_tick(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct updater *u = userdata;
	sd_json_variant *progress = NULL;

	if (u->operator && u->m->update->call != CALL_NONE &&
	    updater_progress(u->m, &progress) >= 0 && progress)
		(void)sd_varlink_notifybo(u->operator,
					  SD_JSON_BUILD_PAIR_VARIANT("progress", progress));
	sd_json_variant_unref(progress);
	sd_event_source_set_time_relative(source, PROGRESS_USEC);
	return 0;
}

void operator_stop_progress(struct updater *u)
{
	u->ticker = sd_event_source_disable_unref(u->ticker);
}

void operator_show_progress(struct updater *u)
{
	operator_stop_progress(u);
	/* The first one at once: the caller learns that the update is its own. */
	if (u->more && sd_event_add_time_relative(u->m->event, &u->ticker, CLOCK_BOOTTIME, 0, 0,
						  on_tick, u) >= 0)
		sd_event_source_set_enabled(u->ticker, SD_EVENT_ON);
}

static void set_operator(struct updater *u, sd_varlink *link, bool more)
{
	sd_varlink_ref(link);
	sd_varlink_unref(u->operator);
	u->operator = link;
	u->more = more;
	operator_show_progress(u);
}

static void totals(const struct updater *u, uint64_t *ret_regions, uint64_t *ret_bytes)
{
	uint64_t copied;

	*ret_regions = *ret_bytes = 0;
	for (size_t i = 1; u->outgoing && i < u->outgoing->n_items; i++)
		if (u->outgoing->about[i].id && !u->outgoing->about[i].reason) {
			++*ret_regions;
			*ret_bytes += u->outgoing->items[i].size;
		}
	*ret_regions += copies_count(u->copies, &copied);
	*ret_bytes += copied;
}

static sd_json_variant *take_warnings(struct updater *u)
{
	sd_json_variant *warnings = NULL;

	if (sd_json_variant_new_array_strv(&warnings, u->warnings) < 0)
		return NULL;
	for (char **line = u->warnings; line && *line; line++)
		free(*line);
	free(u->warnings);
	u->warnings = NULL;
	return warnings;
}

static void log_step(const struct updater *u, enum message message, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void log_step(const struct updater *u, enum message message, const char *format, ...)
{
	const struct handover *tree = u->m->registry.tree;
	_cleanup_free_ char *what = NULL;
	va_list ap;

	va_start(ap, format);
	what = text_vformat(LOG_LINE_MAX, format, ap);
	va_end(ap);
	log_message(LOG_NOTICE, message, &(struct log_about){.tree = tree}, "Update %s %s",
		    tree->update_id, what ? what : "goes on");
}

void operator_reply_prepared(struct updater *u)
{
	const char *update = u->m->registry.tree->update_id;
	sd_json_variant *warnings = take_warnings(u);
	char size[FORMAT_SIZE_MAX];
	const struct copies *c = u->copies;
	uint64_t regions, bytes, copied;
	size_t n_copies = copies_count(c, &copied);

	operator_stop_progress(u);
	totals(u, &regions, &bytes);
	log_step(u, MESSAGE_UPDATE_PREPARED, "is prepared: %" PRIu64 " %s, %s, to go along %s",
		 regions, plural(regions, "region", "regions"), format_size(bytes, size),
		 u->outgoing->transport->manner);
	(void)sd_varlink_replybo(
		u->operator, SD_JSON_BUILD_PAIR_STRING("update", update),
		SD_JSON_BUILD_PAIR_UNSIGNED("regions", regions),
		SD_JSON_BUILD_PAIR_UNSIGNED("size", bytes),
		SD_JSON_BUILD_PAIR_STRING("transport", u->outgoing->transport->name),
		SD_JSON_BUILD_PAIR_CONDITION(
			c->n_items > 0, "carrier",
			SD_JSON_BUILD_STRING(c->carrier ? c->carrier->name : NULL)),
		SD_JSON_BUILD_PAIR_CONDITION(n_copies > 0, "copies",
					     SD_JSON_BUILD_UNSIGNED(n_copies)),
		SD_JSON_BUILD_PAIR_CONDITION(n_copies > 0, "copySize",
					     SD_JSON_BUILD_UNSIGNED(copied)),
		SD_JSON_BUILD_PAIR_CONDITION(n_copies > 0, "copyUSec",
					     SD_JSON_BUILD_UNSIGNED(c->usec_estimated)),
		SD_JSON_BUILD_PAIR_VARIANT("warnings", warnings));
	sd_json_variant_unref(warnings);
}

/* A caller that is told when PID 1 has what it was given. */
static void reply_empty(int result, void *userdata)
{
	sd_varlink *link = userdata;

	if (result < 0)
		log_warning("PID 1 does not confirm what it stores: %s", strerror(-result));
	(void)sd_varlink_reply(link, NULL);
	sd_varlink_unref(link);
}

void operator_reply_staged(struct updater *u)
{
	sd_varlink *link = TAKE_PTR(u->operator);
	int r;

	operator_stop_progress(u);
	log_step(
		u, MESSAGE_UPDATE_STAGED,
		"is staged: the next kernel is loaded, every service goes on until it is executed");
	r = fdstore_barrier(u->m->event, reply_empty, link);
	if (r < 0)
		reply_empty(r, link);
}

void operator_reply_frozen(struct updater *u)
{
	sd_json_variant *warnings = take_warnings(u);
	int archive = copies_take_archive(u->copies), index = -1;
	uint64_t regions, bytes;

	operator_stop_progress(u);
	if (archive >= 0) {
		index = sd_varlink_push_fd(u->operator, archive);
		if (index < 0)
			safe_close(archive);
	}
	totals(u, &regions, &bytes);
	log_step(u, MESSAGE_UPDATE_FROZEN,
		 "is frozen, the ledger is written: %" PRIu64 " %s, %zu with a digest", regions,
		 plural(regions, "region", "regions"), u->n_digested);
	(void)sd_varlink_replybo(
		u->operator, SD_JSON_BUILD_PAIR_UNSIGNED("regions", regions),
		SD_JSON_BUILD_PAIR_UNSIGNED("digested", u->n_digested),
		SD_JSON_BUILD_PAIR_CONDITION(index >= 0, "archive", SD_JSON_BUILD_INTEGER(index)),
		SD_JSON_BUILD_PAIR_VARIANT("warnings", warnings));
	sd_json_variant_unref(warnings);
	/* Of an orderly shutdown nobody is the owner. */
	if (u->m->update->state == UPDATE_COMMITTED)
		u->operator = sd_varlink_unref(u->operator);
}

void operator_reply_committed(struct updater *u)
{
	operator_stop_progress(u);
	log_step(u, MESSAGE_UPDATE_COMMITTED,
		 "is committed: the machine goes down for it, and nothing can refuse any more");
	(void)sd_varlink_reply(u->operator, NULL);
	u->operator = sd_varlink_unref(u->operator);
}

static void reply_refused(sd_varlink *link, const struct failure *failure)
{
	(void)sd_varlink_errorbo(
		link, "io.kho.Manager.Refused",
		SD_JSON_BUILD_PAIR_STRING("cause", update_refusal_to_string(failure->refusal)),
		SD_JSON_BUILD_PAIR_CONDITION(!!failure->owner, "owner",
					     SD_JSON_BUILD_STRING(failure->owner)),
		SD_JSON_BUILD_PAIR_CONDITION(!!failure->region, "region",
					     SD_JSON_BUILD_STRING(failure->region)),
		SD_JSON_BUILD_PAIR_STRING("message", failure->message));
}

void operator_reply_refused(struct updater *u)
{
	operator_stop_progress(u);
	if (u->operator)
		reply_refused(u->operator, &u->failure);
	u->operator = sd_varlink_unref(u->operator);
}

void operator_reply_aborted(struct updater *u)
{
	for (size_t i = 0; i < u->n_aborts; i++) {
		(void)sd_varlink_replybo(
			u->aborts[i],
			SD_JSON_BUILD_PAIR_STRING("aborted", u->m->registry.tree->update_id));
		sd_varlink_unref(u->aborts[i]);
	}
	free(u->aborts);
	u->aborts = NULL;
	u->n_aborts = 0;
}

/* What goes by copy, and what has a place for the rest. */
static int begin_copies(struct manager *m, const struct update_request *request)
{
	struct handover *tree = m->registry.tree;
	struct updater *u = m->updater;
	int r;

	u->copies = copies_free(u->copies);
	r = copies_new(tree->update_id, &request->copy, m->kernel.luo || m->transport, &u->copies);
	if (r < 0)
		return r;
	tree->transport = strdup(updater_transport(u)->name);
	return tree->transport ? 0 : -ENOMEM;
}

static void forget_begun(struct handover *tree)
{
	free(TAKE_PTR(tree->transport));
	free(TAKE_PTR(tree->update_id));
	free(TAKE_PTR(tree->image));
	free(TAKE_PTR(tree->next_release));
	tree->forced = false;
}

/* Gives the update its name, and puts that into the tree. */
static int begin(struct manager *m, const struct update_request *request)
{
	struct handover *tree = m->registry.tree;
	sd_id128_t id;
	int r = sd_id128_randomize(&id);

	if (r < 0)
		return r;
	failure_clear(&m->updater->failure);
	kept_copies_forget(m);
	if (asprintf(&tree->update_id, "%016" PRIx64, id.qwords[0]) < 0) {
		tree->update_id = NULL;
		return -ENOMEM;
	}
	r = begin_copies(m, request);
	if (r < 0) {
		free(TAKE_PTR(tree->update_id));
		return r;
	}
	tree->image = request->image ? strdup(request->image) : NULL;
	tree->next_release = request->next_release ? strdup(request->next_release) : NULL;
	tree->digest_size_max = request->digest_size_max;
	tree->forced = request->forced > 0;
	m->updater->timeout_usec = request->timeout_usec;
	/* A path that is no text can't be written down: better now than at the freeze. */
	r = registry_save(&m->registry);
	if (r < 0)
		forget_begun(tree);
	return r;
}

int updater_prepare(struct manager *m, sd_varlink *link, const struct update_request *request,
		    bool more)
{
	const struct handover *tree = m->registry.tree;
	struct updater *u = m->updater;
	int r;

	if (m->update->state != UPDATE_IDLE)
		return -EBUSY;
	r = begin(m, request);
	if (r < 0)
		return r;
	set_operator(u, link, more);
	log_step(u, MESSAGE_UPDATE_BEGINS, "to %s begins%s: %zu %s, %zu %s to ask", request->image,
		 tree->forced ? ", forced past the check" : "", tree->n_regions,
		 plural(tree->n_regions, "region", "regions"), m->update->n_participants,
		 plural(m->update->n_participants, "participant", "participants"));
	return updater_feed(m, &(struct update_event){.kind = EVENT_PREPARE});
}

/* Asks the kernel, not the caller: whether an image is loaded and whether it holds everything. */
static int confirm_staged(struct updater *u)
{
	size_t failed = SIZE_MAX;
	char *message = NULL;
	int r = kernel_kexec_loaded();

	if (r == 0)
		return -ENOEXEC;
	if (r > 0)
		/* What is being preserved just now is told of by its own event. */
		r = u->outgoing->transport->stage(u->outgoing->items, u->outgoing->n_preserved,
						  &failed, &message);
	if (r < 0)
		failure_of_worker(u, REFUSAL_KERNEL, r, message, failed);
	return r;
}

int updater_staged(struct manager *m, sd_varlink *link)
{
	struct updater *u = m->updater;
	enum update_event_kind kind;

	if (m->update->state != UPDATE_PREPARED)
		return -EBUSY;
	if (u->operator != link)
		return -EPERM;
	kind = confirm_staged(u) < 0 ? EVENT_NOT_STAGED : EVENT_STAGED;
	return updater_feed(m, &(struct update_event){.kind = kind});
}

int updater_freeze(struct manager *m, sd_varlink *link, uint64_t timeout_usec, bool more)
{
	struct updater *u = m->updater;

	if (m->update->state != UPDATE_STAGED && m->update->state != UPDATE_COMMITTED)
		return -EBUSY;
	if (m->update->call != CALL_NONE)
		return -EBUSY;
	u->timeout_usec = timeout_usec;
	set_operator(u, link, more);
	if (!m->update->asked && !m->update->asking)
		m->registry.tree->moments[MOMENT_FREEZE] = realtime_usec();
	return updater_feed(m, &(struct update_event){.kind = EVENT_FREEZE});
}

int updater_shutdown(struct manager *m, const struct update_request *request)
{
	int r = m->update->state == UPDATE_IDLE ? begin(m, request) : 0;

	return r < 0 ? r : updater_feed(m, &(struct update_event){.kind = EVENT_SHUTDOWN});
}

int updater_commit(struct manager *m, sd_varlink *link)
{
	if (m->update->state != UPDATE_STAGED)
		return -EBUSY;
	set_operator(m->updater, link, false);
	return updater_feed(m, &(struct update_event){.kind = EVENT_COMMIT});
}

int updater_abort(struct manager *m, sd_varlink *link, const char *reason, bool called_off)
{
	struct updater *u = m->updater;
	sd_varlink **aborts;
	int r;

	/* Its reason must not become the reason of what goes wrong from here. */
	if (m->update->state == UPDATE_COMMITTED && m->update->call != CALL_COMMIT && !called_off)
		return -EBUSY;
	if (execution_prevent(m, link) < 0)
		return -EBUSY;
	aborts = reallocarray(u->aborts, u->n_aborts + 1, sizeof(*aborts));
	if (!aborts)
		return -ENOMEM;
	u->aborts = aborts;
	aborts[u->n_aborts++] = sd_varlink_ref(link);
	if (reason && m->update->state != UPDATE_ABORTING && !u->failure.message) {
		u->failure.refusal = REFUSAL_INTERRUPTED;
		u->failure.message = text_format(REGION_REASON_MAX, "%s", reason);
	}
	r = updater_feed(m, &(struct update_event){.kind = EVENT_ABORT,
						   .required = called_off,
						   .refusal = REFUSAL_INTERRUPTED});
	if (r < 0)
		sd_varlink_unref(u->aborts[--u->n_aborts]);
	return r;
}

void updater_operator_gone(struct manager *m, sd_varlink *link)
{
	struct updater *u = m->updater;

	if (u->operator != link)
		return;
	operator_stop_progress(u);
	/* It is khod that goes: the next one finds the update as it is. */
	if (sd_event_get_state(m->event) == SD_EVENT_EXITING)
		return;
	if (m->update->operator_attached)
		(void)updater_feed(m, &(struct update_event){.kind = EVENT_OPERATOR_GONE,
							     .refusal = REFUSAL_INTERRUPTED});
	u->operator = sd_varlink_unref(u->operator);
}

int updater_is_current(const struct manager *m, const char *update)
{
	const char *current = m->registry.tree->update_id;

	if (!current || m->update->state == UPDATE_IDLE || m->update->state == UPDATE_RESTORING)
		return -ENOENT;
	return !update || !strcmp(current, update) ? 0 : -ENOENT;
}

void updater_note_refusal(struct manager *m, const char *reason)
{
	free(m->updater->refused_because);
	m->updater->refused_because = reason ? text_format(REGION_REASON_MAX, "%s", reason) : NULL;
}

int updater_recover(struct manager *m, int *session_fds, size_t n_session_fds, int signpost)
{
	struct updater *u = m->updater;
	struct handover *tree = m->registry.tree;
	enum update_state state = tree->state;
	int r = copies_resume(&m->registry, &u->copies);

	if (r < 0)
		return r;
	u->timeout_usec = UPDATE_TIMEOUT_USEC;
	u->outgoing = outgoing_new(updater_transport(u), tree->update_id, m->registry.tree_fd);
	if (!u->outgoing)
		return -ENOMEM;
	r = outgoing_resume(u->outgoing, &m->registry, session_fds, n_session_fds, signpost);
	if (r < 0 && state == UPDATE_STAGED)
		state = UPDATE_PREPARED;
	log_step(u, MESSAGE_UPDATE_CONTINUED, "was %s when khod ended: this khod goes on with it",
		 update_state_to_string(tree->state));
	return updater_feed(m, &(struct update_event){.kind = EVENT_RECOVER, .state = state});
}
