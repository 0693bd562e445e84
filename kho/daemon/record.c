/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <string.h>

#include "kho/core/paths.h"
#include "kho/daemon/clock.h"
#include "kho/daemon/digest.h"
#include "kho/daemon/ledger.h"
#include "kho/transport/parallel.h"
#include "kho/daemon/peers.h"
#include "kho/daemon/record.h"
#include "kho/daemon/shutdown.h"
#include "kho/daemon/stopped.h"
#include "kho/daemon/worker.h"
#include "kho/kernel/pages.h"

struct digest_job {
	uint32_t id;
	int fd; /* the registry's */
	uint64_t size;
	uint8_t digest[DIGEST_SIZE];
	int error;
};

struct record {
	struct manager *m;
	struct copies *copies; /* NULL: services still write to what is to be copied */
	const atomic_bool *cancel;
	record_done_fn done;
	struct digest_job *jobs;
	size_t n_jobs;
	size_t n_digested;
	struct handover *ledger; /* what goes to disk: no thread may look at the registry */
};

static struct record *record_free(struct record *record)
{
	handover_free(record->ledger);
	free(record->jobs);
	free(record);
	return NULL;
}
DEFINE_CLEANUP_FUNC(struct record *, record_free)

static void record_end(struct record *record, int result, char *message)
{
	struct manager *m = record->m;
	record_done_fn done = record->done;
	size_t n_digested = record->n_digested;

	record_free(record);
	done(m, result, message, n_digested);
}

/* A digest of memory that somebody may still write to would cry wolf in the next kernel. */
static bool is_quiet(const struct manager *m, const struct region *region)
{
	if (region->seals & F_SEAL_WRITE || owner_has_frozen(m, region->owner))
		return true;
	/* What has stopped in a shutdown does not start again. */
	return m->update->state == UPDATE_COMMITTED && m->update->sealed &&
	       owner_has_stopped(m, region->owner);
}

static int note_state(struct region *region, int fd)
{
	struct memory_kind kind;
	int r = memory_identify(fd, &kind);

	if (r < 0)
		return r;
	region->seals = kind.seals;
	region->position = kind.position;
	region->mode = kind.mode;
	region->has_digest = false;
	return 0;
}

static int collect_jobs(struct record *record)
{
	struct registry *registry = &record->m->registry;
	uint64_t max = registry->tree->digest_size_max;

	record->jobs = calloc(registry->tree->n_regions + 1, sizeof(*record->jobs));
	if (!record->jobs)
		return -ENOMEM;
	for (size_t i = 0; i < registry->tree->n_regions; i++) {
		struct region *region = registry->tree->regions[i];
		int fd = registry_fd(registry, region), r;

		if (fd < 0 || !region->transport)
			continue;
		r = note_state(region, fd);
		if (r < 0)
			return r;
		if (max == 0 || region->size > max || !is_quiet(record->m, region))
			continue;
		record->jobs[record->n_jobs++] =
			(struct digest_job){.id = region->id, .fd = fd, .size = region->size};
	}
	return 0;
}

static int digest_one(size_t index, void *data)
{
	struct record *record = data;
	struct digest_job *job = &record->jobs[index];

	job->error = *record->cancel ? -ECANCELED : digest_memory(job->fd, job->size, job->digest);
	return job->error;
}

static int digest_and_copy(void *data)
{
	struct record *record = data;

	(void)parallel_for(record->n_jobs, digest_one, record);
	return record->copies ? copies_make(record->copies, record->cancel) : 0;
}

/* The ledger is what the next kernel goes by: last. */
static int write_ledger(void *data)
{
	struct record *record = data;
	int r = record->copies ? copies_seal(record->copies, record->ledger) : 0;

	return r < 0 ? r : ledger_write(KHO_LEDGER_FILE, record->ledger);
}

static void on_written(int result, void *data)
{
	struct record *record = data;
	char *message = NULL;

	if (record->copies && record->copies->message)
		message = TAKE_PTR(record->copies->message);
	else if (result < 0 && asprintf(&message, "the ledger %s/%s can't be written: %s",
					state_dir(), KHO_LEDGER_FILE, strerror(-result)) < 0)
		message = NULL;
	record_end(record, result, message);
}

static void take_digests(struct record *record)
{
	for (size_t i = 0; i < record->n_jobs; i++) {
		const struct digest_job *job = &record->jobs[i];
		struct region *region = handover_find_id(record->m->registry.tree, job->id);

		if (!region || job->error < 0)
			continue;
		memcpy(region->digest, job->digest, DIGEST_SIZE);
		region->has_digest = true;
		record->n_digested++;
	}
}

static int copy_handover(const struct handover *handover, struct handover **ret)
{
	_cleanup_free_ void *blob = NULL;
	size_t size;
	int r = handover_build(handover, &blob, &size);

	return r < 0 ? r : handover_parse(blob, size, ret);
}

static void note_copies(struct record *record)
{
	struct handover *tree = record->m->registry.tree;

	if (!record->copies)
		return;
	tree->copy_size = record->copies->progress.n_copied;
	tree->copy_usec = record->copies->usec;
}

/* Why it would be, should it be lost. What arrives has no reason any more. */
static void foresee_loss(struct handover *ledger, const char *why)
{
	for (size_t i = 0; i < ledger->n_regions; i++)
		if (ledger->regions[i]->transport)
			(void)region_set_reason(ledger->regions[i], "%s", why);
}

static void on_digested(int result, void *data)
{
	struct record *record = data;
	struct manager *m = record->m;
	char *message = NULL;
	int r = *record->cancel ? -ECANCELED : result;

	if (r < 0 && record->copies)
		message = TAKE_PTR(record->copies->message);
	if (r >= 0) {
		take_digests(record);
		note_copies(record);
		if (m->update->sealed)
			m->registry.tree->moments[MOMENT_FROZEN] = realtime_usec();
		r = registry_save(&m->registry);
	}
	if (r >= 0)
		r = copy_handover(m->registry.tree, &record->ledger);
	if (r >= 0 && shutdown_problem(m))
		foresee_loss(record->ledger, shutdown_problem(m));
	if (r >= 0)
		r = work_start(m->event, write_ledger, on_written, record);
	if (r >= 0)
		return;
	if (r != -ECANCELED && !message &&
	    asprintf(&message, "the handover tree can't be written: %s", strerror(-r)) < 0)
		message = NULL;
	record_end(record, r, message);
}

int record_start(struct manager *m, struct copies *copies, const atomic_bool *cancel,
		 record_done_fn done)
{
	_cleanup_(record_freep) struct record *record = calloc(1, sizeof(*record));
	int r;

	if (!record)
		return -ENOMEM;
	*record = (struct record){.m = m,
				  .copies = m->update->sealed ? copies : NULL,
				  .cancel = cancel,
				  .done = done};
	r = record->copies ? copies_refresh(copies, &m->registry) : copies_hold(copies);
	if (r >= 0)
		r = collect_jobs(record);
	if (r >= 0)
		r = work_start(m->event, digest_and_copy, on_digested, record);
	if (r >= 0)
		TAKE_PTR(record);
	return r;
}
