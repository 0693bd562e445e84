/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "kho/core/paths.h"
#include "kho/daemon/arrival.h"
#include "kho/daemon/fdstore.h"
#include "kho/daemon/ledger.h"
#include "kho/daemon/log.h"
#include "kho/kernel/luo.h"
#include "kho/transport/luo-signpost.h"

#define STORE_USEC (10 * UINT64_C(1000000))

static const char *why_unreadable(int error)
{
	switch (error) {
	case -EBADMSG:
		return "it is damaged";
	case -EPROTONOSUPPORT:
		return "a newer version of kho-tools has written it";
	default:
		return strerror(-error);
	}
}

/* The ledger if it tells of an update that began in another boot. *ret_trouble: why there is none
 * to go by, NULL out of memory.
 */
static int find_ledger(const struct manager *m, struct handover **ret, char **ret_trouble)
{
	_cleanup_handover_ struct handover *ledger = NULL;
	int r = ledger_read(KHO_LEDGER_FILE, &ledger), n;

	if (r >= 0 && (ledger->update_id || ledger->shutdown) &&
	    strcmp(ledger->boot_id, m->kernel.boot_id)) {
		*ret = TAKE_PTR(ledger);
		return 0;
	}
	if (r >= 0 || r == -ENOENT)
		n = asprintf(ret_trouble, "there is no ledger %s/%s", state_dir(), KHO_LEDGER_FILE);
	else
		n = asprintf(ret_trouble, "the ledger %s/%s can't be read: %s", state_dir(),
			     KHO_LEDGER_FILE, why_unreadable(r));
	if (n < 0)
		*ret_trouble = NULL;
	*ret = NULL;
	return r >= 0 ? -ENOENT : r;
}

/* Asks the kernel. The session stays open, and in the fd store, until the registry knows too. */
static int read_signpost(struct inheritance *in, char ret[static LUO_UPDATE_ID_LENGTH + 1])
{
	if (in->signpost < 0) {
		int r = luo_signpost_attach();

		if (r < 0)
			return r;
		in->signpost = r;
		r = fdstore_push(LUO_SIGNPOST_NAME, in->signpost);
		if (r >= 0)
			r = fdstore_wait(STORE_USEC);
		if (r < 0)
			log_warning("The fd store does not take session %s: %s", LUO_SIGNPOST_NAME,
				    strerror(-r));
	}
	return luo_signpost_read(in->signpost, ret);
}

static int find_update_id(const struct manager *m, struct inheritance *in,
			  char ret[static LUO_UPDATE_ID_LENGTH + 1])
{
	if (m->kernel.luo) {
		int r = read_signpost(in, ret);

		if (r >= 0)
			return 0;
		if (r == -EBADMSG)
			log_error("Session %s arrived damaged", LUO_SIGNPOST_NAME);
	}
	if (in->n_sessions == 0)
		return -ENOENT;
	strcpy(ret, in->sessions[0].update_id);
	return 0;
}

static int make_substitute(const char *update_id, const char *trouble, struct handover **ret)
{
	_cleanup_handover_ struct handover *substitute = handover_new();
	int r;

	if (!substitute || !trouble)
		return -ENOMEM;
	substitute->update_id = strdup(update_id);
	if (!substitute->update_id)
		return -ENOMEM;
	r = handover_add_problem(
		substitute, "%s, and update %s has arrived: its handover tree alone tells of it",
		trouble, update_id);
	if (r < 0)
		return r;
	log_message(LOG_ERR, MESSAGE_ARRIVAL_UNKNOWN, &(struct log_about){.tree = substitute}, "%s",
		    substitute->problems[0]);
	*ret = TAKE_PTR(substitute);
	return 0;
}

/* Nothing has come, and what should have come can't be read. */
static void report_unknown(struct manager *m, const char *trouble)
{
	struct handover *report = handover_new();

	log_message(LOG_ERR, MESSAGE_ARRIVAL_UNKNOWN, NULL,
		    "%s; what the last update handed over is not known", trouble);
	if (!report)
		return;
	(void)handover_add_problem(report, "%s; what the last update handed over is not known",
				   trouble);
	report->result = strdup("incomplete");
	report->next_release = strdup(m->kernel.release);
	handover_free(m->report);
	m->report = report;
	if (ledger_write(KHO_REPORT_FILE, report) < 0)
		log_error("The report can't be written to %s", state_dir());
}

/* It was a shutdown that keeps no memory, by somebody's wish: nobody waits for what was lost, but
 * it is on record.
 */
static void report_shutdown(struct manager *m, struct handover *ledger)
{
	for (size_t i = 0; i < ledger->n_regions; i++) {
		struct region *region = ledger->regions[i];

		region->claimed = false;
		if (region->check == REGION_LOST)
			continue;
		region->check = REGION_LOST;
		(void)region_set_reason(region, "the machine went down (%s), which keeps no memory",
					ledger->shutdown);
	}
	log_warning("The machine went down (%s), which keeps no memory; regions lost: %zu",
		    ledger->shutdown, ledger->n_regions);
	ledger->state = UPDATE_IDLE;
	free(ledger->result);
	ledger->result = strdup("lost");
	free(ledger->next_release);
	ledger->next_release = strdup(m->kernel.release);
	ledger->kexec_count = m->kernel.kexec_count;
	handover_free(m->report);
	m->report = ledger;
	if (ledger_write(KHO_REPORT_FILE, ledger) < 0)
		log_error("The report can't be written to %s", state_dir());
}

int arrival_find(struct manager *m, struct inheritance *in, struct handover **ret)
{
	_cleanup_handover_ struct handover *ledger = NULL;
	char update_id[LUO_UPDATE_ID_LENGTH + 1];
	_cleanup_free_ char *trouble = NULL;
	int r = find_ledger(m, &ledger, &trouble);

	*ret = NULL;
	if (r < 0 && r != -ENOENT)
		(void)ledger_set_aside(KHO_LEDGER_FILE);
	if (find_update_id(m, in, update_id) < 0) {
		if (r < 0 && r != -ENOENT && trouble)
			report_unknown(m, trouble);
		if (ledger && ledger->shutdown)
			report_shutdown(m, TAKE_PTR(ledger));
		*ret = TAKE_PTR(ledger);
		return 0;
	}
	if (ledger && ledger->update_id && !strcmp(ledger->update_id, update_id)) {
		/* It was by kexec after all. */
		free(TAKE_PTR(ledger->shutdown));
		*ret = TAKE_PTR(ledger);
		return 0;
	}
	if (ledger && asprintf(&trouble, "the ledger %s/%s is of update %s", state_dir(),
			       KHO_LEDGER_FILE, ledger->update_id ? ledger->update_id : "none") < 0)
		trouble = NULL;
	return make_substitute(update_id, trouble, ret);
}

void arrival_done(struct inheritance *in)
{
	if (in->signpost < 0)
		return;
	(void)luo_session_finish(in->signpost);
	in->signpost = safe_close(in->signpost);
	(void)fdstore_remove(LUO_SIGNPOST_NAME);
}
