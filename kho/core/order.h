/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CORE_ORDER_H
#define KHO_CORE_ORDER_H

#include <stdbool.h>
#include <stddef.h>

#include "kho/core/cleanup.h"

/* Names that a participant may give, before and after together. */
#define ORDER_NAMES_MAX 64

/* What a participant says about the order in which participants freeze. Names are owners, of
 * whom there may be none. */
struct order {
	const char *owner; /* who says so */
	const char *const
		*before;	  /* it freezes before these; ends with NULL; NULL: before nobody */
	const char *const *after; /* it freezes after these; the same */
};

/* Whether the first has to have frozen when the second is told to; either may be NULL: says
 * nothing. */
bool order_precedes(const struct order *first, const struct order *second);

/*
 * Looks for a cycle through orders[n - 1]'s owner, in what orders[0] to orders[n - 1] say (NULLs
 * are passed over): names of whom nobody speaks count too, so that one who comes later and says
 * nothing closes none. 0: there is none. -ELOOP: *ret is "a → b → a", → meaning "freezes before",
 * the caller's to free. -ENOMEM.
 */
int order_find_cycle(const struct order *const *orders, size_t n, char **ret);

#endif
