/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "kho/core/cleanup.h"
#include "kho/transport/luo-choose.h"
#include "kho/transport/luo-demand.h"
#include "kho/transport/message.h"

static struct luo_demand total_of(const struct luo_choice *choices, size_t n)
{
	struct luo_demand total = {};

	for (size_t i = 0; i < n; i++) {
		const struct luo_demand *demand = &choices[i].demand;

		if (choices[i].left_out)
			continue;
		total.total += demand->total;
		total.present += demand->present;
		total.holes += demand->holes;
		total.swapped += demand->swapped;
		total.lists += demand->lists;
	}
	return total;
}

static bool fits(const struct luo_choice *choices, size_t n, const struct memory_room *room,
		 uint64_t headroom)
{
	struct luo_demand total = total_of(choices, n);

	return luo_demand_bytes(&total, room->cma_used) + LUO_RESERVE <= room->available &&
	       total.holes + total.swapped <= headroom;
}

static uint64_t need_of(const struct luo_choice *choice)
{
	return choice->demand.holes + choice->demand.swapped + choice->demand.lists;
}

static uint64_t charge_of(const struct luo_choice *choice)
{
	return choice->demand.holes + choice->demand.swapped;
}

/* The one without which most is gained: of what is charged, if that is what is too much. */
static struct luo_choice *find_largest(struct luo_choice *choices, size_t n, uint64_t headroom)
{
	struct luo_demand total = total_of(choices, n);
	uint64_t (*size_of)(const struct luo_choice *choice) =
		total.holes + total.swapped > headroom ? charge_of : need_of;
	struct luo_choice *largest = NULL;

	for (size_t i = 0; i < n; i++)
		if (choices[i].optional && !choices[i].left_out &&
		    (!largest || size_of(&choices[i]) > size_of(largest)))
			largest = &choices[i];
	return largest;
}

/* A smaller one may do in place of the last. */
static void replace_last(struct luo_choice *choices, size_t n, struct luo_choice *last,
			 const struct memory_room *room, uint64_t headroom)
{
	for (size_t i = 0; i < n; i++) {
		struct luo_choice *other = &choices[i];

		if (!other->optional || other->left_out || need_of(other) >= need_of(last))
			continue;
		last->left_out = false;
		other->left_out = true;
		if (fits(choices, n, room, headroom)) {
			last = other;
		} else {
			last->left_out = true;
			other->left_out = false;
		}
	}
}

bool luo_leave_out(struct luo_choice *choices, size_t n, const struct memory_room *room,
		   uint64_t headroom)
{
	struct luo_choice *last = NULL;

	while (!fits(choices, n, room, headroom)) {
		last = find_largest(choices, n, headroom);
		if (!last)
			break;
		last->left_out = true;
	}
	if (fits(choices, n, room, headroom)) {
		if (last)
			replace_last(choices, n, last, room, headroom);
		return true;
	}
	for (size_t i = 0; i < n; i++)
		choices[i].left_out = false;
	return false;
}

/* Those that can't be looked at, or are too large by themselves, are left out; of required ones it
 * is for the check to say so.
 */
static void look_at(struct transport_item *item, struct luo_choice *choice, char **reason)
{
	char *message = NULL;
	int r = luo_demand_item(&choice->demand, item, &message);

	if (r >= 0)
		return;
	choice->demand = (struct luo_demand){};
	if (choice->optional) {
		item->error = r;
		*reason = TAKE_PTR(message);
	}
	free(message);
}

static char *why(const struct luo_choice *choice, const struct memory_room *room, uint64_t headroom,
		 const char *path)
{
	_cleanup_free_ char *parts = luo_describe_need(&choice->demand, need_of(choice));
	char bytes[3][BYTES_MAX], *text = NULL;

	format_bytes(bytes[0], need_of(choice));
	if (path && headroom < room->available)
		message_set(
			&text,
			"it needs %s (%s), and memory.max of %s leaves %s for all: raise it, or "
			"make the memfd smaller",
			bytes[0], parts ?: "", path, format_bytes(bytes[1], headroom));
	else
		message_set(
			&text,
			"it needs %s (%s), and for all there are %s, %s of which stay reserved: "
			"free memory, or make the memfd smaller",
			bytes[0], parts ?: "", format_bytes(bytes[1], room->available),
			format_bytes(bytes[2], LUO_RESERVE));
	return text;
}

int luo_choose(struct transport_item *items, size_t n, const bool *optional, char **reasons)
{
	_cleanup_free_ struct luo_choice *choices = calloc(n ? n : 1, sizeof(*choices));
	_cleanup_free_ char *path = NULL;
	struct memory_room room;
	uint64_t headroom;

	if (!choices)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		choices[i].optional = optional[i];
		look_at(&items[i], &choices[i], &reasons[i]);
		choices[i].optional = optional[i] && items[i].error >= 0;
	}
	/* What can't be told, and what does not fit, is the check's to say. */
	if (memory_room(&room) < 0 || cgroup_memory_headroom(&headroom, &path) < 0 ||
	    !luo_leave_out(choices, n, &room, headroom))
		return 0;
	for (size_t i = 0; i < n; i++)
		if (choices[i].left_out) {
			items[i].error = -ENOMEM;
			reasons[i] = why(&choices[i], &room, headroom, path);
		}
	return 0;
}
