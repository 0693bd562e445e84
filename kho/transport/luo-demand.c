/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <unistd.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/memory.h"
#include "kho/kernel/pages.h"
#include "kho/transport/luo-demand.h"
#include "kho/transport/message.h"

void luo_demand_add(struct luo_demand *demand, uint64_t size, uint64_t present, uint64_t swapped)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), held = present + swapped;

	demand->total += size;
	demand->present += present;
	demand->swapped += swapped;
	demand->holes += size > held ? size - held : 0;
	demand->lists += (size + page - 1) / page * LUO_BYTES_PER_PAGE;
}

uint64_t luo_demand_bytes(const struct luo_demand *demand, uint64_t cma_used)
{
	uint64_t moved = cma_used < demand->present ? cma_used : demand->present;

	return demand->holes + demand->swapped + demand->lists + moved;
}

int luo_demand_item(struct luo_demand *demand, const struct transport_item *item,
		    char **ret_message)
{
	char size[BYTES_MAX], limit[BYTES_MAX];
	uint64_t present, swapped;
	struct memory_kind kind;
	int r = memory_identify(item->fd, &kind);

	if (r == 0 && kind.size >= LUO_SIZE_MAX) {
		message_set(
			ret_message,
			"%s: it has %s, and a file has to be smaller than %s to cross in place; "
			"split it into several memfds",
			item->label, format_bytes(size, kind.size),
			format_bytes(limit, LUO_SIZE_MAX));
		return -EFBIG;
	}
	if (r == 0)
		r = pages_resident(item->fd, &present, &swapped);
	if (r < 0) {
		message_set(ret_message, "%s: can't tell how much of it is in memory: %s",
			    item->label, luo_preserve_advice(r));
		return r;
	}
	luo_demand_add(demand, kind.size, present, swapped);
	return 0;
}

/* The items that need most, largest first. */
static void demand_blame(struct luo_blame blame[static LUO_BLAME_MAX],
			 const struct transport_item *item, uint64_t bytes)
{
	struct luo_blame next = {.item = item, .bytes = bytes};

	for (size_t i = 0; i < LUO_BLAME_MAX; i++)
		if (next.bytes > blame[i].bytes) {
			struct luo_blame smaller = blame[i];

			blame[i] = next;
			next = smaller;
		}
}

static int demand_verdict_cgroup(const struct luo_demand *demand, uint64_t headroom,
				 const char *path, char **ret_message)
{
	char need[BYTES_MAX], left[BYTES_MAX];

	if (demand->holes + demand->swapped <= headroom)
		return 0;
	message_set(
		ret_message,
		"preserving charges %s to this cgroup, and memory.max of %s leaves %s: raise it",
		format_bytes(need, demand->holes + demand->swapped), path,
		format_bytes(left, headroom));
	return -ENOMEM;
}

static void append_part(char **parts, uint64_t bytes, const char *what)
{
	char text[BYTES_MAX];

	if (bytes > 0)
		message_append(parts, "%s%s %s", *parts ? ", " : "", format_bytes(text, bytes),
			       what);
}

char *luo_describe_need(const struct luo_demand *demand, uint64_t need)
{
	char *parts = NULL;

	append_part(&parts, demand->holes, "to fill holes");
	append_part(&parts, demand->swapped, "to swap in");
	append_part(&parts, demand->lists, "for the kernel's lists");
	append_part(&parts, need - demand->holes - demand->swapped - demand->lists, "to move");
	return parts;
}

/* Those that make a difference: at least a hundredth of the need. */
static char *describe_blame(const struct luo_blame blame[static LUO_BLAME_MAX], uint64_t need)
{
	char *largest = NULL, text[BYTES_MAX];

	for (size_t i = 0; i < LUO_BLAME_MAX && blame[i].item && blame[i].bytes >= need / 100; i++)
		message_append(&largest, "%s%s (%s)", i ? ", " : "; most of it for ",
			       blame[i].item->label, format_bytes(text, blame[i].bytes));
	return largest;
}

int luo_demand_verdict(const struct luo_demand *demand, const struct memory_room *room,
		       const struct luo_blame blame[static LUO_BLAME_MAX], char **ret_message)
{
	uint64_t need = luo_demand_bytes(demand, room->cma_used);
	_cleanup_free_ char *parts = NULL, *largest = NULL;
	char bytes[3][BYTES_MAX];

	if (need + LUO_RESERVE <= room->available)
		return 0;
	parts = luo_describe_need(demand, need);
	largest = describe_blame(blame, need);
	message_set(ret_message,
		    "not enough memory: preserving needs %s (%s)%s; %s are available, %s of which "
		    "stay reserved: free memory, or make the memfds smaller",
		    format_bytes(bytes[0], need), parts ? parts : "", largest ? largest : "",
		    format_bytes(bytes[1], room->available), format_bytes(bytes[2], LUO_RESERVE));
	return -ENOMEM;
}

int luo_check(const struct transport_item *items, size_t n, char **ret_message)
{
	struct luo_blame blame[LUO_BLAME_MAX] = {};
	struct luo_demand demand = {};
	struct memory_room room;
	_cleanup_free_ char *path = NULL;
	uint64_t headroom;
	int r;

	for (size_t i = 0; i < n; i++) {
		uint64_t before = demand.holes + demand.swapped;

		r = luo_demand_item(&demand, &items[i], ret_message);
		if (r < 0)
			return r;
		demand_blame(blame, &items[i], demand.holes + demand.swapped - before);
	}
	r = memory_room(&room);
	if (r == 0)
		r = cgroup_memory_headroom(&headroom, &path);
	if (r < 0) {
		message_set(ret_message, "can't tell how much memory is free: %s", strerror(-r));
		return r;
	}
	r = luo_demand_verdict(&demand, &room, blame, ret_message);
	return r < 0 ? r : demand_verdict_cgroup(&demand, headroom, path, ret_message);
}

int luo_room(uint64_t bytes, char **ret_message)
{
	char need[BYTES_MAX], left[BYTES_MAX];
	_cleanup_free_ char *path = NULL;
	uint64_t headroom;
	int r = cgroup_memory_headroom(&headroom, &path);

	if (r < 0) {
		message_set(ret_message, "can't tell what memory limits there are: %s",
			    strerror(-r));
		return r;
	}
	if (bytes <= headroom)
		return 0;
	message_set(ret_message,
		    "%s are to be taken over, and memory.max of cgroup %s leaves %s: raise it; "
		    "nothing is touched until then",
		    format_bytes(need, bytes), path, format_bytes(left, headroom));
	return -EDQUOT;
}
