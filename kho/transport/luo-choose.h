/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_TRANSPORT_LUO_CHOOSE_H
#define KHO_TRANSPORT_LUO_CHOOSE_H

/* What is left behind so that the rest fits. */

#include "kho/kernel/memory.h"
#include "kho/transport/luo.h"

/* What the arithmetic knows of one item. */
struct luo_choice {
	struct luo_demand demand;
	bool optional;
	bool left_out; /* set by luo_leave_out() */
};

/*
 * Leaves out as few optional items as it can until the rest fits into room and into headroom (bytes
 * that may be charged), the largest first; the last of them is the smallest that does. false: the
 * rest would not fit without any of them, and nothing is left out.
 */
bool luo_leave_out(struct luo_choice *choices, size_t n, const struct memory_room *room,
		   uint64_t headroom);

/* See choose in struct transport. */
int luo_choose(struct transport_item *items, size_t n, const bool *optional, char **reasons);

#endif
