/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "kho/daemon/fdstore.h"
#include "kho/daemon/incoming-private.h"
#include "kho/daemon/log.h"
#include "kho/transport/carrier.h"

#define STORE_USEC (60 * UINT64_C(1000000))

/* Whether it is worth another try, when others have given back what they have too much of. */
static bool is_passing(int error)
{
	return error == -EMFILE || error == -ENFILE;
}

/*
 * Where copies go as they are taken, the memory that they go to has to outlive khod from the
 * beginning: in the fd store, from where a get that is ended half way goes on.
 */
static int hold_memory(struct incoming *in, size_t i, const struct region *region)
{
	char name[REGION_STORE_NAME_MAX];
	int fd = copy_memory_new(region->size, region->page_size), r;

	if (fd < 0)
		return fd;
	in->items[i].fd = fd;
	in->about[i].held = true;
	r = fdstore_push(region_store_name(region->id, name), fd);
	if (r >= 0)
		r = fdstore_wait(STORE_USEC);
	if (r < 0)
		log_warning("The fd store does not take %s: %s; it is lost if khod ends",
			    in->about[i].label, strerror(-r));
	return 0;
}

static void give_up_memory(struct incoming *in, size_t i)
{
	char name[REGION_STORE_NAME_MAX];

	in->items[i].fd = safe_close(in->items[i].fd);
	in->about[i].held = false;
	fdstore_remove(region_store_name(in->about[i].id, name));
}

/* Into memory that is held; a copy that is gone was taken before khod was ended. */
static int get_held(struct incoming *in, size_t i, const struct carrier *carrier,
		    struct carrier_load *load, struct carrier_item *item, char **ret_message)
{
	const struct region *region = handover_find_id(in->base, in->about[i].id);
	struct copy_progress progress = {};
	bool before = in->about[i].held;
	int r = before ? 0 : hold_memory(in, i, region);

	if (r < 0)
		return r;
	item->fd = in->items[i].fd;
	r = carrier->get(load, item, &progress, ret_message);
	if (r == -ENOENT && before)
		return 0;
	if (r < 0)
		return r;
	(void)carrier->drop(in->base->spool, in->base->update_id, item->id);
	return 0;
}

static int get_new(struct incoming *in, size_t i, const struct carrier *carrier,
		   struct carrier_load *load, struct carrier_item *item, char **ret_message)
{
	struct copy_progress progress = {};
	int r = carrier->get(load, item, &progress, ret_message);

	if (r >= 0)
		in->items[i].fd = item->fd;
	else
		safe_close(item->fd);
	return r;
}

/* 0, or a passing error; what else went wrong is said in the item. */
static int take_copy(struct incoming *in, size_t i, const struct carrier *carrier,
		     struct carrier_load *load)
{
	const struct region *region = handover_find_id(in->base, in->about[i].id);
	struct carrier_item item = {.id = region->id,
				    .fd = -EBADF,
				    .size = region->size,
				    .page_size = region->page_size,
				    .label = in->about[i].label};
	_cleanup_free_ char *message = NULL;
	int r = carrier->take ? get_held(in, i, carrier, load, &item, &message)
			      : get_new(in, i, carrier, load, &item, &message);

	if (r >= 0)
		return 0;
	if (!is_passing(r)) {
		if (carrier->take)
			give_up_memory(in, i);
		in->about[i].lost = message ? TAKE_PTR(message) : strdup(strerror(-r));
		return 0;
	}
	message_set(&in->message, "%s can't be taken over yet: %s", in->about[i].label,
		    strerror(-r));
	return -EAGAIN;
}

static bool is_awaited(const struct incoming *in, size_t i, const struct carrier *carrier)
{
	const struct region *region = handover_find_id(in->base, in->about[i].id);

	return region && region->transport && carrier_find(region->transport) == carrier &&
	       (in->items[i].fd < 0 || (carrier->take && in->about[i].held)) && !in->about[i].lost;
}

static int take_from(struct incoming *in, const struct carrier *carrier)
{
	struct carrier_load *load = NULL;
	_cleanup_free_ char *message = NULL;
	bool opened = false;
	int r = 0;

	for (size_t i = 1; r >= 0 && i < in->n_items; i++) {
		if (!is_awaited(in, i, carrier))
			continue;
		/* With the first: most updates have nothing there. */
		if (!opened)
			(void)carrier->open(in->base->spool, in->base->update_id, &load, &message);
		opened = true;
		if (load)
			r = take_copy(in, i, carrier, load);
		else if (in->items[i].fd < 0)
			in->about[i].lost = strdup(message ? message : "its copy did not arrive");
	}
	if (r >= 0 && load && carrier->take)
		(void)carrier->discard(in->base->spool, in->base->update_id);
	carrier->close(load);
	return r;
}

int incoming_take_copies(struct incoming *in)
{
	const struct carrier *carrier;
	int r = 0;

	for (size_t i = 0; r >= 0 && (carrier = carrier_nth(i)); i++)
		r = take_from(in, carrier);
	return r;
}
