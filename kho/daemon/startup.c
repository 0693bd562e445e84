/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "kho/core/paths.h"
#include "kho/daemon/arrival.h"
#include "kho/daemon/execution.h"
#include "kho/daemon/fdstore.h"
#include "kho/daemon/ledger.h"
#include "kho/daemon/log.h"
#include "kho/daemon/manager-leftovers.h"
#include "kho/daemon/startup.h"
#include "kho/daemon/updater.h"
#include "kho/transport/luo.h"

static void stamp(struct manager *m)
{
	struct handover *tree = m->registry.tree;

	memcpy(tree->boot_id, m->kernel.boot_id, sizeof(tree->boot_id));
	tree->kexec_count = m->kernel.kexec_count;
	free(tree->release);
	tree->release = strdup(m->kernel.release);
}

static void drop_memory(struct inherited_memory *memory)
{
	char name[REGION_STORE_NAME_MAX];

	fdstore_remove(region_store_name(memory->id, name));
	memory->fd = safe_close(memory->fd);
}

/* Gives each fd that came back to the region it belongs to. */
static int hold_memory(struct manager *m, struct inheritance *in)
{
	for (size_t i = 0; i < in->n_memory; i++) {
		struct inherited_memory *memory = &in->memory[i];
		struct region *region = handover_find_id(m->registry.tree, memory->id);
		int r;

		if (!region || registry_fd(&m->registry, region) >= 0) {
			drop_memory(memory);
			continue;
		}
		r = registry_hold(&m->registry, memory->id, TAKE_FD(memory->fd));
		if (r < 0)
			return r;
	}
	return 0;
}

/* A region whose memory is not here any more is lost, and nobody may overlook that. */
static void note_missing(struct manager *m)
{
	for (size_t i = 0; i < m->registry.tree->n_regions; i++) {
		struct region *region = m->registry.tree->regions[i];

		if (region->check == REGION_LOST || registry_fd(&m->registry, region) >= 0)
			continue;
		region->check = REGION_LOST;
		(void)region_set_reason(region,
					"the fd store of khod.service did not bring it back");
		log_message(LOG_ERR, MESSAGE_REGION_LOST,
			    &(struct log_about){.owner = region->owner, .region = region->name},
			    "region \"%s\" of %s is lost: %s", region->name, region->owner,
			    region->reason);
	}
}

static int copy_handover(const struct handover *handover, struct handover **ret)
{
	_cleanup_free_ void *blob = NULL;
	size_t size;
	int r = handover_build(handover, &blob, &size);

	return r < 0 ? r : handover_parse(blob, size, ret);
}

/* It is of an update that is over. */
static void drop_arrived(struct inheritance *in)
{
	if (in->arrived >= 0)
		(void)fdstore_remove(INCOMING_TREE_STORE_NAME);
	in->arrived = safe_close(in->arrived);
}

/* The registry has been written since: what arrived is held against what was sent. */
static void compare_as_sent(struct handover *base)
{
	_cleanup_handover_ struct handover *ledger = NULL;

	if (ledger_read(KHO_LEDGER_FILE, &ledger) >= 0 && ledger->update_id &&
	    !strcmp(ledger->update_id, base->update_id)) {
		base->generation = ledger->generation;
	} else {
		base->generation = 0;
		memset(base->boot_id, 0, sizeof(base->boot_id));
	}
}

/* The registry's tree says what is to be restored. */
static int restore(struct manager *m, struct inheritance *in, bool again, restore_ready_fn ready)
{
	_cleanup_(incoming_freep) struct incoming *incoming = NULL;
	struct handover *base;
	int r;

	r = copy_handover(m->registry.tree, &base);
	if (r < 0)
		return r;
	if (again)
		compare_as_sent(base);
	incoming = incoming_new(&transport_luo, &m->kernel, base);
	if (!incoming)
		return -ENOMEM;
	if (in->arrived >= 0) {
		r = incoming_add_tree(incoming, TAKE_FD(in->arrived));
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < in->n_memory; i++)
		if (incoming_add_memory(incoming, in->memory[i].id, TAKE_FD(in->memory[i].fd)) < 0)
			drop_memory(&in->memory[i]);
	for (size_t i = 0; i < in->n_sessions; i++) {
		struct inherited_session *session = &in->sessions[i];

		if (strcmp(session->update_id, incoming->base->update_id))
			continue;
		r = incoming_add_session(incoming, session->number, TAKE_FD(session->fd));
		if (r < 0)
			return r;
	}
	memcpy(m->registry.tree->boot_id, m->kernel.boot_id, sizeof(m->kernel.boot_id));
	return restore_start(m, TAKE_PTR(incoming), ready);
}

static int recover_update(struct manager *m, struct inheritance *in)
{
	_cleanup_free_ int *sessions = NULL;
	size_t n = 0;

	for (size_t i = 0; i < in->n_sessions; i++)
		if (in->sessions[i].number >= n)
			n = in->sessions[i].number + 1;
	sessions = calloc(n + 1, sizeof(*sessions));
	if (!sessions)
		return -ENOMEM;
	memset(sessions, 0xff, (n + 1) * sizeof(*sessions));
	for (size_t i = 0; i < in->n_sessions; i++)
		if (!strcmp(in->sessions[i].update_id, m->registry.tree->update_id))
			sessions[in->sessions[i].number] = TAKE_FD(in->sessions[i].fd);
	execution_recover(m, TAKE_FD(in->execution));
	return updater_recover(m, sessions, n, TAKE_FD(in->signpost));
}

/* khod has been here before, in this kernel. */
static int resume(struct manager *m, struct inheritance *in, restore_ready_fn ready)
{
	int r;

	/* Of any other update that khod knows of, the id stands in the tree. */
	if (m->registry.tree->state == UPDATE_RESTORING || m->registry.tree->state == UPDATE_IDLE)
		arrival_done(in);
	if (m->registry.tree->state == UPDATE_RESTORING)
		return restore(m, in, true, ready);
	drop_arrived(in);
	r = hold_memory(m, in);
	if (r < 0)
		return r;
	note_missing(m);
	if (m->registry.tree->state != UPDATE_IDLE && m->registry.tree->update_id)
		r = recover_update(m, in);
	if (r >= 0)
		r = registry_save(&m->registry);
	ready(m);
	return r;
}

/* An update is on record that began in another kernel. */
static int begin_restore(struct manager *m, struct inheritance *in, struct handover *ledger,
			 restore_ready_fn ready)
{
	int r;

	log_message(LOG_NOTICE, MESSAGE_UPDATE_ARRIVES, &(struct log_about){.tree = ledger},
		    "Update %s from %s arrives; regions to be restored: %zu", ledger->update_id,
		    ledger->release ? ledger->release : "an unknown kernel", ledger->n_regions);
	/* What takes a missing ledger's place has none. */
	if (ledger->generation == 0)
		ledger->generation = m->registry.tree->generation;
	handover_free(m->registry.tree);
	m->registry.tree = ledger;
	ledger->state = UPDATE_IDLE;
	/* Who held it was a process of the other kernel. */
	for (size_t i = 0; i < ledger->n_regions; i++)
		ledger->regions[i]->claimed = false;
	/* A region of a khod before this one has nothing to say in this kernel. */
	drop_arrived(in);
	r = restore(m, in, false, ready);
	arrival_done(in);
	return r;
}

static int fresh_registry(struct manager *m)
{
	int r;

	fdstore_remove(REGISTRY_STORE_NAME);
	r = registry_create(&m->registry);
	if (r < 0)
		return r;
	stamp(m);
	return registry_save(&m->registry);
}

static bool is_of_this_boot(const struct manager *m, const struct handover *handover)
{
	return !strcmp(handover->boot_id, m->kernel.boot_id);
}

int startup(struct manager *m, struct inheritance *in, restore_ready_fn ready)
{
	struct handover *ledger;
	bool resumed = false;
	int r;

	if (!fdstore_exists())
		log_message(LOG_WARNING, MESSAGE_NO_FD_STORE, NULL,
			    "khod runs alone, no service manager keeps its memory for it: what no "
			    "other process has open is lost when khod ends");
	if (ledger_read(KHO_REPORT_FILE, &m->report) < 0)
		m->report = NULL;
	if (in->tree >= 0) {
		resumed = registry_resume(&m->registry, TAKE_FD(in->tree)) >= 0;
		if (!resumed)
			log_error("The handover tree in the fd store is damaged");
	}
	if (resumed && is_of_this_boot(m, m->registry.tree))
		return resume(m, in, ready);
	r = arrival_find(m, in, &ledger);
	if (r < 0)
		return r;
	if (resumed && !ledger) {
		/* PID 1 brought khod's own fd store into this kernel, without an update. */
		m->registry.tree->state = UPDATE_IDLE;
		free(TAKE_PTR(m->registry.tree->update_id));
		stamp(m);
		return resume(m, in, ready);
	}
	if (resumed)
		registry_close(&m->registry);
	r = fresh_registry(m);
	if (r < 0)
		return r;
	if (ledger)
		return begin_restore(m, in, ledger, ready);
	leftovers_log(m);
	r = ledger_remove(KHO_LEDGER_FILE);
	ready(m);
	return r;
}
