/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "kho/kernel/verdict-private.h"

/* The string that stands for that part. */
static const char *string_of(const struct abi *abi, enum abi_part part)
{
	switch (part) {
	case ABI_KHO:
		return abi->kho;
	case ABI_LUO:
		return abi->luo;
	default:
		return abi_find_file_handler(abi, "memfd");
	}
}

/* What differs by its string needs no second witness; what 6.16 to 6.18 do not have, neither. */
static bool is_asked(const struct verdict_question *q, enum abi_part part)
{
	const char *here = string_of(&q->here->abi, part);
	const char *there = string_of(&q->image->abi, part);

	if (part != ABI_KHO && q->machine->kernel.generation == KHO_FINALIZE)
		return false;
	return !here || !there || strcmp(here, there) == 0;
}

static void add_difference(const struct verdict_question *q, size_t i, const char *difference,
			   struct verdict *v)
{
	enum abi_part part = abi_structure_part(i);
	const char *here = string_of(&q->here->abi, part);
	const char *both = string_of(&q->image->abi, part) ? here : NULL;

	verdict_add(v, FINDING_COPY, "structures", "%s differs%s%s: %s", abi_structure_name(i),
		    both ? ", although both say " : "", both ?: "", difference);
}

/*
 * BTF is a witness against, never one for: equal structures may still be meant in another way.
 * Where it is missing, it says nothing.
 */
void verdict_on_layouts(const struct verdict_question *q, struct verdict *v)
{
	const struct abi_layouts *here = &q->here->layouts, *there = &q->image->layouts;
	size_t n_equal = 0;

	for (size_t i = 0; i < ABI_STRUCTURES; i++) {
		_cleanup_free_ char *difference = NULL;

		if (!abi_layouts_have(here, i) || !abi_layouts_have(there, i) ||
		    !is_asked(q, abi_structure_part(i)))
			continue;
		if (layout_difference(&here->of[i], &there->of[i], &difference) < 0)
			v->error = -ENOMEM;
		if (difference)
			add_difference(q, i, difference, v);
		else
			n_equal++;
	}
	if (n_equal > 0)
		verdict_add(v, FINDING_FINE, "structures", "the same in the BTF of both: %zu",
			    n_equal);
}
