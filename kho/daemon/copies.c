/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <sys/stat.h>

#include "kho/daemon/clock.h"
#include "kho/daemon/copies.h"
#include "kho/transport/message.h"
#include "kho/transport/spool.h"

static bool is_auto(const char *transport)
{
	return !transport || !strcmp(transport, "auto");
}

static bool is_off(const char *spool)
{
	return !strcmp(spool, "no");
}

const char *copy_request_fault(const struct copy_request *request)
{
	const char *transport = request->transport;

	if (!is_auto(transport) && strcmp(transport, "luo") && !carrier_find(transport))
		return "transport";
	if (!request->spool || is_off(request->spool) || *request->spool == '/')
		return NULL;
	return "spool";
}

static char *where_of(const char *spool)
{
	if (!spool)
		return spool_default();
	return is_off(spool) ? NULL : strdup(spool);
}

int copies_new(const char *update_id, const struct copy_request *request, bool in_place,
	       struct copies **ret)
{
	_cleanup_(copies_freep) struct copies *c = calloc(1, sizeof(*c));
	bool by_itself = is_auto(request->transport);

	if (!c)
		return -ENOMEM;
	c->place = -EBADF;
	c->all = !in_place || request->copy > 0 || carrier_find(request->transport);
	/* Loading what has both is bound to scratch, which is small. */
	c->may_take = c->all && request->initrd > 0;
	c->update_id = strdup(update_id);
	c->where = where_of(request->spool);
	c->wish = by_itself ? NULL : strdup(request->transport);
	if (!c->update_id || (!c->where && !(request->spool && is_off(request->spool))) ||
	    (!by_itself && !c->wish))
		return -ENOMEM;
	*ret = TAKE_PTR(c);
	return 0;
}

static void free_item(struct copies *c, size_t i)
{
	free((char *)c->items[i].label);
	free(c->about[i].reason);
}

struct copies *copies_free(struct copies *c)
{
	if (!c)
		return NULL;
	for (size_t i = 0; i < c->n_items; i++)
		free_item(c, i);
	if (c->load)
		c->carrier->close(c->load);
	safe_close(c->place);
	free(c->items);
	free(c->about);
	free(c->update_id);
	free(c->wish);
	free(c->where);
	free(c->message);
	free(c);
	return NULL;
}

size_t copies_count(const struct copies *c, uint64_t *ret_bytes)
{
	uint64_t bytes = 0;
	size_t n = 0;

	for (size_t i = 0; i < c->n_items; i++)
		if (!c->about[i].reason) {
			bytes += c->items[i].size;
			n++;
		}
	if (ret_bytes)
		*ret_bytes = bytes;
	return n;
}

bool copies_take(const struct copies *c, const struct region *region)
{
	return c->all || region->page_size > 0;
}

static struct carrier_item *find_item(const struct copies *c, uint32_t id)
{
	for (size_t i = 0; i < c->n_items; i++)
		if (c->items[i].id == id)
			return &c->items[i];
	return NULL;
}

static int add_item(struct copies *c, const struct region *region, int fd)
{
	struct carrier_item *items = reallocarray(c->items, c->n_items + 1, sizeof(*items));
	struct copies_item *about;
	char *label;

	if (!items)
		return -ENOMEM;
	c->items = items;
	about = reallocarray(c->about, c->n_items + 1, sizeof(*about));
	if (!about)
		return -ENOMEM;
	c->about = about;
	about[c->n_items] = (struct copies_item){.required = region->required};
	if (asprintf(&label, "region \"%s\" of %s", region->name, region->owner) < 0)
		return -ENOMEM;
	items[c->n_items++] = (struct carrier_item){.id = region->id,
						    .fd = fd,
						    .size = region->size,
						    .page_size = region->page_size,
						    .label = label};
	return 0;
}

int copies_collect(struct copies *c, const struct registry *registry)
{
	for (size_t i = 0; i < registry->tree->n_regions; i++) {
		const struct region *region = registry->tree->regions[i];
		int fd = registry_fd(registry, region), r;

		if (fd < 0 || !copies_take(c, region) || find_item(c, region->id))
			continue;
		r = add_item(c, region, fd);
		if (r < 0)
			return r;
	}
	return 0;
}

void copies_forget(struct copies *c, uint32_t id)
{
	struct carrier_item *item = find_item(c, id);
	size_t i = item ? item - c->items : 0;

	if (!item || item < c->items + c->n_noted)
		return;
	free_item(c, i);
	c->n_items--;
	memmove(&c->items[i], &c->items[i + 1], (c->n_items - i) * sizeof(*c->items));
	memmove(&c->about[i], &c->about[i + 1], (c->n_items - i) * sizeof(*c->about));
}

static int fail(struct copies *c, int error, char *message)
{
	free(c->message);
	c->message = message;
	return error;
}

static const char *why_not_in_place(const struct carrier_item *item)
{
	return item->page_size ? "its pages are of hugetlb, which no kernel hands over"
			       : "this kernel hands over no memory of services";
}

/* Where nothing may be copied, the optional ones are left behind. */
static int copy_nothing(struct copies *c)
{
	for (size_t i = c->n_noted; i < c->n_items; i++) {
		const struct carrier_item *item = &c->items[i];
		struct copies_item *about = &c->about[i];

		if (about->required) {
			message_set(&c->message,
				    "%s can't stay in place, and --kho-transport=luo allows "
				    "nothing else: %s",
				    item->label, why_not_in_place(item));
			return -EOPNOTSUPP;
		}
		free(about->reason);
		about->reason = strdup(why_not_in_place(item));
		if (!about->reason)
			return -ENOMEM;
	}
	return 0;
}

/* What was left behind before is looked at anew, unless that is noted already. */
static int measure_items(struct copies *c)
{
	for (size_t i = 0; i < c->n_items; i++) {
		int r = copy_bytes_max(c->items[i].fd, &c->about[i].bytes);

		if (r < 0)
			return r;
		if (i >= c->n_noted)
			free(TAKE_PTR(c->about[i].reason));
	}
	return 0;
}

static int choose(struct copies *c, char **ret_message)
{
	size_t n = copies_count(c, NULL);

	c->bytes_max = 0;
	for (size_t i = 0; i < c->n_items; i++)
		if (!c->about[i].reason)
			c->bytes_max += c->about[i].bytes;
	if (n == 0)
		return 0;
	return carrier_choose(c->carrier ? c->carrier->name : c->wish, c->may_take, c->where, n,
			      c->bytes_max, &c->carrier, &c->usec_estimated, ret_message);
}

/* The largest optional one that is not noted yet; false: there is none. */
static bool leave_one_behind(struct copies *c, const char *why)
{
	struct copies_item *largest = NULL;

	for (size_t i = c->n_noted; i < c->n_items; i++) {
		struct copies_item *about = &c->about[i];

		if (!about->required && !about->reason &&
		    (!largest || about->bytes > largest->bytes))
			largest = about;
	}
	if (!largest)
		return false;
	largest->reason = strdup(why ? why : "no room for a copy of it");
	return largest->reason;
}

int copies_check(struct copies *c)
{
	char *message = NULL;
	int r;

	fail(c, 0, NULL);
	if (c->n_items == 0)
		return 0;
	if (c->wish && !strcmp(c->wish, "luo"))
		return copy_nothing(c);
	r = measure_items(c);
	if (r < 0)
		return r;
	r = choose(c, &message);
	while (r == -ENOSPC && leave_one_behind(c, message)) {
		free(TAKE_PTR(message));
		r = choose(c, &message);
	}
	return r < 0 ? fail(c, r, message) : 0;
}

int copies_note(struct copies *c, struct registry *registry)
{
	struct handover *tree = registry->tree;

	if (c->n_items == 0)
		return 0;
	if (!tree->spool && c->where) {
		tree->spool = strdup(c->where);
		if (!tree->spool)
			return -ENOMEM;
	}
	tree->copy_usec_estimated = c->usec_estimated;
	for (; c->n_noted < c->n_items; c->n_noted++) {
		struct region *region = handover_find_id(tree, c->items[c->n_noted].id);

		if (!region || region->transport)
			continue;
		if (c->about[c->n_noted].reason) {
			region_set_reason(region, "left behind: %s", c->about[c->n_noted].reason);
			continue;
		}
		region->transport = strdup(c->carrier->name);
		if (!region->transport)
			return -ENOMEM;
	}
	return 0;
}

void copies_give_up(struct copies *c, struct registry *registry, const char *why)
{
	while (c->n_items > c->n_noted) {
		size_t i = --c->n_items;
		struct region *region = handover_find_id(registry->tree, c->items[i].id);

		if (region)
			(void)region_set_reason(region, "left behind: %s", why);
		free_item(c, i);
	}
}

int copies_hold(struct copies *c)
{
	if (copies_count(c, NULL) == 0 || c->place >= 0 || !c->carrier->hold)
		return 0;
	c->place = c->carrier->hold(c->where);
	return c->place < 0 ? c->place : 0;
}

int copies_refresh(struct copies *c, struct registry *registry)
{
	for (size_t i = 0; i < c->n_items; i++) {
		struct carrier_item *item = &c->items[i];
		struct region *region = handover_find_id(registry->tree, item->id);
		struct stat st;

		if (!region)
			continue;
		if (fstat(item->fd, &st) < 0)
			return -errno;
		if ((uint64_t)st.st_size >= REGION_SIZE_MAX) {
			message_set(&c->message, "%s has grown to 1 TiB or more: split it",
				    item->label);
			return -EFBIG;
		}
		item->size = region->size = (uint64_t)st.st_size;
	}
	return 0;
}

static uint64_t elapsed_since(const struct timespec *begin)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)(now.tv_sec - begin->tv_sec) * USEC_PER_SEC +
	       (uint64_t)((now.tv_nsec - begin->tv_nsec) / 1000);
}

static int put_all(struct copies *c)
{
	char *message = NULL;
	int r;

	c->begun = true;
	if (c->load)
		c->load = c->carrier->close(c->load);
	r = c->carrier->create(c->where, c->update_id, &c->load, &message);
	for (size_t i = 0; r >= 0 && i < c->n_items; i++) {
		if (!c->about[i].reason)
			r = c->carrier->put(c->load, &c->items[i], &c->progress, &message);
		c->n_copied++;
	}
	if (r >= 0 && c->carrier->flush)
		r = c->carrier->flush(c->load, &message);
	return r < 0 ? fail(c, r, message) : 0;
}

int copies_make(struct copies *c, const atomic_bool *cancel)
{
	struct timespec begin;
	int r;

	if (copies_count(c, NULL) == 0)
		return 0;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	c->progress.cancel = cancel;
	c->progress.n_read = c->progress.n_copied = 0;
	c->n_copied = 0;
	c->copying = true;
	r = put_all(c);
	c->copying = false;
	c->usec = elapsed_since(&begin);
	return r;
}

int copies_seal(struct copies *c, const struct handover *tree)
{
	_cleanup_free_ void *blob = NULL;
	char *message = NULL;
	size_t size;
	int r;

	if (copies_count(c, NULL) == 0)
		return 0;
	r = handover_build(tree, &blob, &size);
	if (r >= 0)
		r = c->carrier->seal(c->load, blob, size, &message);
	return r < 0 ? fail(c, r, message) : 0;
}

int copies_take_archive(struct copies *c)
{
	return c->load && c->carrier->take ? c->carrier->take(c->load) : -ENODATA;
}

int copies_discard(struct copies *c)
{
	if (!c->begun || !c->carrier)
		return 0;
	c->begun = false;
	if (c->load)
		c->load = c->carrier->close(c->load);
	return c->carrier->discard(c->where, c->update_id);
}

int copies_resume(const struct registry *registry, struct copies **ret)
{
	const struct handover *tree = registry->tree;
	_cleanup_(copies_freep) struct copies *c = NULL;
	int r;

	*ret = NULL;
	r = copies_new(tree->update_id, &(struct copy_request){.spool = tree->spool}, true, &c);
	if (r < 0)
		return r;
	for (size_t i = 0; i < tree->n_regions; i++) {
		const struct region *region = tree->regions[i];
		const struct carrier *carrier = carrier_find(region->transport);

		if (!carrier)
			continue;
		c->carrier = carrier;
		r = add_item(c, region, registry_fd(registry, region));
		if (r < 0)
			return r;
	}
	c->n_noted = c->n_items;
	c->all = tree->transport && strcmp(tree->transport, "luo");
	c->may_take = c->carrier && c->carrier->take;
	/* How far it had come is not known. */
	c->begun = c->carrier != NULL;
	c->usec_estimated = tree->copy_usec_estimated;
	*ret = TAKE_PTR(c);
	return 0;
}
