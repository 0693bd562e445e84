/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/core/tree.h"

#include <string.h>

#include "kho/core/opaque.h"
#include "kho/core/text.h"

struct handover *handover_new(void)
{
	struct handover *handover = calloc(1, sizeof(*handover));

	if (handover)
		handover->next_region_id = 1;
	return handover;
}

void handover_clear_problems(struct handover *handover)
{
	for (char **problem = handover->problems; problem && *problem; problem++)
		free(*problem);
	free(handover->problems);
	handover->problems = NULL;
}

struct handover *handover_free(struct handover *handover)
{
	if (!handover)
		return NULL;
	for (size_t i = 0; i < handover->n_regions; i++)
		region_free(handover->regions[i]);
	for (size_t i = 0; i < handover->n_owner_extras; i++) {
		free(handover->owner_extras[i].owner);
		opaque_free(handover->owner_extras[i].unknown);
	}
	handover_clear_problems(handover);
	opaque_free(handover->unknown);
	opaque_free(handover->unknown_in_timeline);
	opaque_free(handover->unknown_in_regions);
	free(handover->regions);
	free(handover->by_id);
	free(handover->owner_extras);
	free(handover->update_id);
	free(handover->release);
	free(handover->next_release);
	free(handover->image);
	free(handover->result);
	free(handover->transport);
	free(handover->spool);
	free(handover->kept_spool);
	free(handover->kept_update);
	free(handover->shutdown);
	free(handover);
	return NULL;
}

static int compare_names(const struct region *region, const char *owner, const char *name)
{
	int order = strcmp(region->owner, owner);

	return order ? order : strcmp(region->name, name);
}

/* Index of the first region that does not come before OWNER and NAME. */
static size_t position_by_name(const struct handover *handover, const char *owner, const char *name)
{
	size_t low = 0, high = handover->n_regions;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_names(handover->regions[middle], owner, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t position_by_id(const struct handover *handover, uint32_t id)
{
	size_t low = 0, high = handover->n_regions;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (handover->by_id[middle]->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct region *handover_find(const struct handover *handover, const char *owner, const char *name)
{
	size_t i = position_by_name(handover, owner, name);

	if (i == handover->n_regions || compare_names(handover->regions[i], owner, name) != 0)
		return NULL;
	return handover->regions[i];
}

struct region *handover_find_id(const struct handover *handover, uint32_t id)
{
	size_t i = position_by_id(handover, id);

	if (i == handover->n_regions || handover->by_id[i]->id != id)
		return NULL;
	return handover->by_id[i];
}

static int make_room(struct handover *handover)
{
	size_t n = handover->n_allocated ? 2 * handover->n_allocated : 16;
	struct region **array;

	if (handover->n_regions < handover->n_allocated)
		return 0;
	array = reallocarray(handover->regions, n, sizeof(*array));
	if (!array)
		return -ENOMEM;
	handover->regions = array;
	array = reallocarray(handover->by_id, n, sizeof(*array));
	if (!array)
		return -ENOMEM;
	handover->by_id = array;
	handover->n_allocated = n;
	return 0;
}

static void insert(struct region **array, size_t n, size_t position, struct region *region)
{
	memmove(array + position + 1, array + position, (n - position) * sizeof(*array));
	array[position] = region;
}

static void take_out(struct region **array, size_t n, size_t position)
{
	memmove(array + position, array + position + 1, (n - position - 1) * sizeof(*array));
}

int handover_add_region(struct handover *handover, struct region *region)
{
	uint32_t id = region->id ? region->id : handover->next_region_id;
	int r;

	if (handover->n_regions >= HANDOVER_REGIONS_MAX)
		return -ENOSPC;
	if (id == UINT32_MAX)
		return -EOVERFLOW;
	if (handover_find(handover, region->owner, region->name))
		return -EEXIST;
	if (handover_find_id(handover, id))
		return -ENOTUNIQ;
	r = make_room(handover);
	if (r < 0)
		return r;

	region->id = id;
	if (id >= handover->next_region_id)
		handover->next_region_id = id + 1;
	insert(handover->regions, handover->n_regions,
	       position_by_name(handover, region->owner, region->name), region);
	insert(handover->by_id, handover->n_regions, position_by_id(handover, id), region);
	handover->n_regions++;
	return 0;
}

struct region *handover_remove(struct handover *handover, struct region *region)
{
	take_out(handover->regions, handover->n_regions,
		 position_by_name(handover, region->owner, region->name));
	take_out(handover->by_id, handover->n_regions, position_by_id(handover, region->id));
	handover->n_regions--;
	return region;
}

int handover_give(struct handover *handover, struct region *region, const char *owner)
{
	char *copy;

	if (!region_owner_is_valid(owner))
		return -EINVAL;
	if (handover_find(handover, owner, region->name))
		return -EEXIST;
	copy = strdup(owner);
	if (!copy)
		return -ENOMEM;
	take_out(handover->regions, handover->n_regions,
		 position_by_name(handover, region->owner, region->name));
	free(region->owner);
	region->owner = copy;
	handover->n_regions--;
	insert(handover->regions, handover->n_regions,
	       position_by_name(handover, copy, region->name), region);
	handover->n_regions++;
	return 0;
}

int handover_add_problem(struct handover *handover, const char *format, ...)
{
	_cleanup_free_ char *problem = NULL;
	char **problems;
	size_t n = 0;
	va_list ap;

	while (handover->problems && handover->problems[n])
		n++;
	if (n >= HANDOVER_PROBLEMS_MAX)
		return -ENOSPC;
	va_start(ap, format);
	problem = text_vformat(HANDOVER_PROBLEM_MAX, format, ap);
	va_end(ap);
	if (!problem)
		return -ENOMEM;
	if (!*problem)
		return -EINVAL;
	problems = reallocarray(handover->problems, n + 2, sizeof(*problems));
	if (!problems)
		return -ENOMEM;
	problems[n] = TAKE_PTR(problem);
	problems[n + 1] = NULL;
	handover->problems = problems;
	return 0;
}
