/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_TRANSPORT_LUO_DEMAND_H
#define KHO_TRANSPORT_LUO_DEMAND_H

/* The arithmetic before anything is preserved, since the kernel answers too much with its OOM
 * killer. */

#include "kho/transport/luo.h"

struct memory_room;

#define LUO_BLAME_MAX 3

/* An item, and the bytes it needs for holes and what is swapped out. */
struct luo_blame {
	const struct transport_item *item;
	uint64_t bytes;
};

/* Adds what one item needs; -EFBIG and the message if it can't be preserved at all. */
int luo_demand_item(struct luo_demand *demand, const struct transport_item *item,
		    char **ret_message);

/* "8.0 GiB to fill holes, 64.0 MiB for the kernel's lists", of need bytes; the caller's to free.
 * NULL: of nothing, or out of memory.
 */
char *luo_describe_need(const struct luo_demand *demand, uint64_t need);

/* 0, or -ENOMEM with the numbers and those to blame, the largest first. */
int luo_demand_verdict(const struct luo_demand *demand, const struct memory_room *room,
		       const struct luo_blame blame[static LUO_BLAME_MAX], char **ret_message);

/* See check and room in struct transport. */
int luo_check(const struct transport_item *items, size_t n, char **ret_message);
int luo_room(uint64_t bytes, char **ret_message);

#endif
