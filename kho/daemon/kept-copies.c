/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "kho/daemon/kept-copies.h"
#include "kho/daemon/log.h"
#include "kho/daemon/worker.h"
#include "kho/transport/carrier.h"

/* Copies to be removed. */
struct removal {
	const struct carrier *carrier;
	char *spool;
	char *update;
	uint32_t *ids;
	size_t n_ids;
	bool all;
};

static struct removal *removal_free(struct removal *removal)
{
	free(removal->spool);
	free(removal->update);
	free(removal->ids);
	free(removal);
	return NULL;
}
DEFINE_CLEANUP_FUNC(struct removal *, removal_free)

static int remove_on_thread(void *data)
{
	struct removal *removal = data;
	int r = 0;

	if (removal->all)
		return removal->carrier->discard(removal->spool, removal->update);
	for (size_t i = 0; i < removal->n_ids; i++) {
		int error =
			removal->carrier->drop(removal->spool, removal->update, removal->ids[i]);

		if (error < 0 && error != -ENOENT)
			r = error;
	}
	return r;
}

static void on_removed(int result, void *data)
{
	_cleanup_(removal_freep) struct removal *removal = data;

	if (result < 0)
		log_error("Copies of update %s in %s can't be removed: %s", removal->update,
			  removal->spool, strerror(-result));
	else if (removal->all)
		log_info("The copies of update %s are removed from %s", removal->update,
			 removal->spool);
}

void kept_copies_note(struct manager *m)
{
	struct handover *tree = m->registry.tree;
	bool any = false;

	free(TAKE_PTR(tree->kept_spool));
	free(TAKE_PTR(tree->kept_update));
	for (size_t i = 0; i < tree->n_regions; i++) {
		struct region *region = tree->regions[i];

		region->kept = carrier_find(region->transport) == &carrier_spool;
		any = any || region->kept;
	}
	if (!any || !tree->spool)
		return;
	tree->kept_spool = strdup(tree->spool);
	tree->kept_update = strdup(tree->update_id);
}

static struct removal *removal_new(const struct handover *tree)
{
	_cleanup_(removal_freep) struct removal *removal = calloc(1, sizeof(*removal));

	if (!removal)
		return NULL;
	removal->carrier = &carrier_spool;
	removal->spool = strdup(tree->kept_spool);
	removal->update = strdup(tree->kept_update);
	removal->ids = calloc(tree->n_regions + 1, sizeof(*removal->ids));
	return removal->spool && removal->update && removal->ids ? TAKE_PTR(removal) : NULL;
}

static void start_removal(struct manager *m, struct removal *removal)
{
	int r = work_start(m->event, remove_on_thread, on_removed, removal);

	if (r < 0)
		on_removed(r, removal);
}

static void forget(struct handover *tree)
{
	free(TAKE_PTR(tree->kept_spool));
	free(TAKE_PTR(tree->kept_update));
	for (size_t i = 0; i < tree->n_regions; i++)
		tree->regions[i]->kept = false;
}

void kept_copies_settle(struct manager *m)
{
	struct handover *tree = m->registry.tree;
	_cleanup_(removal_freep) struct removal *removal = NULL;
	size_t waiting = 0;

	if (!tree->kept_spool || !tree->kept_update || m->restorer)
		return;
	removal = removal_new(tree);
	if (!removal)
		return;
	for (size_t i = 0; i < tree->n_regions; i++) {
		struct region *region = tree->regions[i];

		if (!region->kept)
			continue;
		if (!region->claimed) {
			waiting++;
			continue;
		}
		region->kept = false;
		removal->ids[removal->n_ids++] = region->id;
	}
	removal->all = waiting == 0;
	if (removal->all)
		forget(tree);
	if (removal->all || removal->n_ids > 0)
		start_removal(m, TAKE_PTR(removal));
}

void kept_copies_forget(struct manager *m)
{
	struct handover *tree = m->registry.tree;
	struct removal *removal;

	if (!tree->kept_spool || !tree->kept_update)
		return;
	removal = removal_new(tree);
	forget(tree);
	if (!removal)
		return;
	removal->all = true;
	start_removal(m, removal);
}
