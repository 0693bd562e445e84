/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "kho/core/paths.h"
#include "kho/core/text.h"
#include "kho/daemon/clock.h"
#include "kho/daemon/fdstore.h"
#include "kho/daemon/ledger.h"
#include "kho/daemon/log.h"
#include "kho/daemon/logind.h"
#include "kho/daemon/shutdown.h"
#include "kho/daemon/updater.h"
#include "kho/daemon/worker.h"

/* Of an update that nobody has staged, as in io.kho.Manager.Prepare. */
#define DIGEST_SIZE_MAX (UINT64_C(256) << 20)
#define TIMEOUT_USEC (30 * USEC_PER_SEC)
/* From the commit to logind's word of the shutdown, which follows at once. */
#define BEGIN_USEC (60 * USEC_PER_SEC)
/* logind waits for 30 s, and what follows takes its time too. */
#define CHECK_USEC (15 * USEC_PER_SEC)

/* What khod has done about the shutdown that is going on. */
enum step {
	STEP_WAITING,  /* for a state of the update in which something can be done */
	STEP_CHECKING, /* somebody looks at the kernel that is loaded */
	STEP_WRITING,  /* the ledger of what will be lost, or what PID 1 is to hold */
	STEP_DONE,
};

struct shutdown {
	struct manager *m;
	char *kind;
	enum step step;
	bool again;	 /* it became another one meanwhile */
	bool called_off; /* meanwhile */
	struct handover *ledger;
	bool committed; /* by this shutdown, and not by who began it */
	bool checked;
	char *problem; /* of the kernel that is loaded; NULL: none is known */
	sd_event_source *patience;
};

static bool is_kexec(const struct shutdown *s)
{
	return !strcmp(s->kind, "kexec");
}

static bool is_cold(const struct shutdown *s)
{
	return !strcmp(s->kind, "reboot") || !strcmp(s->kind, "poweroff") ||
	       !strcmp(s->kind, "halt");
}

static size_t count_held(const struct handover *tree)
{
	size_t n = 0;

	for (size_t i = 0; i < tree->n_regions; i++)
		n += tree->regions[i]->check != REGION_LOST;
	return n;
}

static void done(struct shutdown *s)
{
	s->step = STEP_DONE;
	logind_release(s->m);
}

static void on_stored(int result, void *userdata)
{
	struct manager *m = userdata;

	if (result < 0)
		log_warning("PID 1 does not confirm what it stores: %s", strerror(-result));
	if (m->shutdown && m->shutdown->step == STEP_WRITING)
		done(m->shutdown);
}

static void log_committed(const struct handover *tree)
{
	size_t n = 0;

	for (size_t i = 0; i < tree->n_regions; i++)
		n += tree->regions[i]->transport != NULL;
	log_message(LOG_NOTICE, MESSAGE_UPDATE_COMMITTED, &(struct log_about){.tree = tree},
		    "Update %s is committed by the shutdown: %zu of %zu regions go along",
		    tree->update_id, n, count_held(tree));
}

/* The ledger is on disk; what PID 1 holds it has to have before it begins to stop things. */
static void store(struct shutdown *s)
{
	int r;

	s->step = STEP_WRITING;
	r = fdstore_barrier(s->m->event, on_stored, s->m);
	if (r < 0)
		on_stored(r, s->m);
}

static void carry(struct shutdown *s)
{
	const struct update_request request = {.digest_size_max = DIGEST_SIZE_MAX,
					       .timeout_usec = TIMEOUT_USEC,
					       .forced = !s->checked || s->problem};
	const struct update *update = s->m->update;
	int r;

	switch (update->state) {
	case UPDATE_IDLE:
		if (s->m->registry.tree->n_regions == 0 && update->n_participants == 0) {
			done(s);
			return;
		}
		log_message(LOG_WARNING, MESSAGE_SHUTDOWN_UNSTAGED, NULL,
			    "The machine goes down by kexec and no update is staged: nobody has "
			    "checked the kernel that is loaded, and services are not asked");
		s->committed = true;
		r = updater_shutdown(s->m, &request);
		break;
	case UPDATE_STAGED:
		s->committed = true;
		r = updater_shutdown(s->m, NULL);
		break;
	case UPDATE_COMMITTED:
		if (update->work != WORK_NONE || update->unrecorded)
			return;
		if (s->committed)
			log_committed(s->m->registry.tree);
		store(s);
		return;
	default:
		return;
	}
	if (r < 0) {
		log_error("The kernel that is loaded can't be given anything: %s", strerror(-r));
		done(s);
	}
}

static int write_on_thread(void *data)
{
	return ledger_write(KHO_LEDGER_FILE, ((struct shutdown *)data)->ledger);
}

static void on_written(int result, void *data)
{
	struct shutdown *s = data;

	if (result < 0)
		log_error("%s/%s can't be written: nothing will tell of what is lost now (%s)",
			  state_dir(), KHO_LEDGER_FILE, strerror(-result));
	s->ledger = handover_free(s->ledger);
	s->step = STEP_DONE;
	if (s->called_off) {
		(void)ledger_remove(KHO_LEDGER_FILE);
		shutdown_free(s->m);
	} else if (s->again) {
		s->again = false;
		s->step = STEP_WAITING;
		shutdown_goes_on(s->m);
	} else {
		done(s);
	}
}

static int copy_ledger(struct shutdown *s, const char *how)
{
	_cleanup_free_ void *blob = NULL;
	size_t size;
	int r = handover_build(s->m->registry.tree, &blob, &size);

	if (r >= 0)
		r = handover_parse(blob, size, &s->ledger);
	if (r < 0)
		return r;
	s->ledger->shutdown = strdup(how);
	return s->ledger->shutdown ? 0 : -ENOMEM;
}

/* Nothing survives this: the next boot is to tell what there was. */
static void write_down(struct shutdown *s, const char *how)
{
	size_t n = count_held(s->m->registry.tree);
	int r;

	/* Those are on record already, in the ledger that they came with. */
	if (n == 0 || s->m->update->state == UPDATE_RESTORING) {
		done(s);
		return;
	}
	log_message(LOG_WARNING, MESSAGE_SHUTDOWN_LOSES,
		    &(struct log_about){.tree = s->m->registry.tree},
		    "The machine goes down (%s), and no memory survives that; regions that are "
		    "lost by it: %zu",
		    how, n);
	s->step = STEP_WRITING;
	r = copy_ledger(s, how);
	if (r >= 0)
		r = work_start(s->m->event, write_on_thread, on_written, s);
	if (r < 0)
		on_written(r, s);
}

static int on_no_shutdown(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct manager *m = userdata;

	m->awaited_shutdown = sd_event_source_disable_unref(m->awaited_shutdown);
	if (m->shutdown || m->update->state != UPDATE_COMMITTED)
		return 0;
	log_error("The shutdown that the update was committed for does not begin; kexec -u drops "
		  "the kernel that is loaded");
	(void)updater_feed(
		m, &(struct update_event){.kind = EVENT_KEXEC_FAILED, .refusal = REFUSAL_TIMEOUT});
	return 0;
}

/* Who committed may have died before it had begun one: services would run on undecided for ever. */
static void await_shutdown(struct manager *m)
{
	if (m->update->state != UPDATE_COMMITTED || m->shutdown || m->awaited_shutdown ||
	    !logind_is_there(m))
		return;
	if (sd_event_add_time_relative(m->event, &m->awaited_shutdown, CLOCK_MONOTONIC, BEGIN_USEC,
				       0, on_no_shutdown, m) < 0)
		log_warning("Out of memory: a shutdown that does not begin won't be noticed");
}

/* A soft-reboot changes nothing here, and another shutdown comes some day. */
static void ignore(struct manager *m)
{
	shutdown_free(m);
	logind_release(m);
}

void shutdown_goes_on(struct manager *m)
{
	struct shutdown *s = m->shutdown;

	await_shutdown(m);
	if (!s || s->step != STEP_WAITING)
		return;
	if (is_kexec(s) && kernel_kexec_loaded() == 0)
		write_down(s, "kexec, with no kernel loaded");
	else if (is_kexec(s))
		carry(s);
	else if (is_cold(s))
		write_down(s, s->kind);
	else
		ignore(m);
}

void shutdown_begins(struct manager *m, const char *kind)
{
	struct shutdown *s = m->shutdown;
	char *copy;

	if (s && !strcmp(s->kind, kind) && s->step == STEP_CHECKING) {
		shutdown_is_checked(m, "the kernel that is loaded could not be checked in time");
		return;
	}
	if (s && !strcmp(s->kind, kind) && s->step != STEP_WAITING)
		return;
	copy = strdup(kind);
	if (!s)
		s = m->shutdown = calloc(1, sizeof(*s));
	if (!s || !copy) {
		log_error("Out of memory: nothing is done about the shutdown");
		free(copy);
		return;
	}
	free(s->kind);
	s->kind = copy;
	s->m = m;
	if (s->step == STEP_WRITING && s->ledger) {
		s->again = true;
		s->called_off = false;
		return;
	}
	s->step = STEP_WAITING;
	shutdown_goes_on(m);
}

static bool has_something_to_carry(const struct manager *m)
{
	switch (m->update->state) {
	case UPDATE_STAGED:
		return true;
	case UPDATE_IDLE:
		return count_held(m->registry.tree) > 0;
	default:
		return false;
	}
}

void shutdown_is_checked(struct manager *m, const char *problem)
{
	struct shutdown *s = m->shutdown;

	if (!s || s->step != STEP_CHECKING)
		return;
	s->patience = sd_event_source_disable_unref(s->patience);
	s->checked = true;
	s->problem = problem ? text_format(HANDOVER_PROBLEM_MAX, "%s", problem) : NULL;
	if (problem)
		log_warning("Memory may be lost: %s", problem);
	s->step = STEP_WAITING;
	shutdown_goes_on(m);
}

const char *shutdown_problem(const struct manager *m)
{
	return m->shutdown ? m->shutdown->problem : NULL;
}

static int on_impatient(sd_event_source *source, uint64_t usec, void *userdata)
{
	shutdown_is_checked(userdata, "the kernel that is loaded could not be checked in time");
	return 0;
}

void shutdown_is_announced(struct manager *m, const char *kind)
{
	bool check = !m->shutdown && !strcmp(kind, "kexec") && kernel_kexec_loaded() > 0 &&
		     has_something_to_carry(m);
	struct shutdown *s;

	if (!check) {
		shutdown_begins(m, kind);
		return;
	}
	s = m->shutdown = calloc(1, sizeof(*s));
	if (!s)
		return;
	s->m = m;
	s->kind = strdup(kind);
	s->step = STEP_CHECKING;
	if (!s->kind ||
	    sd_event_add_time_relative(m->event, &s->patience, CLOCK_MONOTONIC, CHECK_USEC, 0,
				       on_impatient, m) < 0 ||
	    logind_start_check(m) < 0) {
		shutdown_free(m);
		shutdown_begins(m, kind);
	}
}

void shutdown_is_called_off(struct manager *m)
{
	struct shutdown *s = m->shutdown;

	if (!s)
		return;
	log_notice("The shutdown (%s) is called off", s->kind);
	if (m->update->state == UPDATE_COMMITTED)
		(void)updater_feed(m, &(struct update_event){.kind = EVENT_KEXEC_FAILED,
							     .refusal = REFUSAL_INTERRUPTED});
	else if (!is_kexec(s) && s->step == STEP_DONE)
		(void)ledger_remove(KHO_LEDGER_FILE);
	/* A thread may still be writing what it has. */
	s->called_off = s->step == STEP_WRITING && s->ledger;
	if (!s->called_off)
		shutdown_free(m);
}

void shutdown_free(struct manager *m)
{
	m->awaited_shutdown = sd_event_source_disable_unref(m->awaited_shutdown);
	if (!m->shutdown)
		return;
	handover_free(m->shutdown->ledger);
	free(m->shutdown->kind);
	free(m->shutdown->problem);
	sd_event_source_disable_unref(m->shutdown->patience);
	free(m->shutdown);
	m->shutdown = NULL;
}
