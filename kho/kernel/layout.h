/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_LAYOUT_H
#define KHO_KERNEL_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "kho/kernel/btf.h"

enum layout_kind {
	LAYOUT_NUMBER,
	LAYOUT_POINTER, /* whatever it points to */
	LAYOUT_CONSTANT,
};

struct layout_field {
	enum layout_kind kind;
	char *name;	/* "folios.total_pages", "name[64]" */
	uint64_t at;	/* bits from the start; the value of a constant */
	uint64_t width; /* bits, of all elements of an array */
};

/*
 * How a structure lies in memory: members of members are in place of these, and an array of
 * structures is its first one, with a number in the name. Or the constants of an enumeration.
 */
struct layout {
	uint64_t size; /* bytes */
	struct layout_field *fields;
	size_t n_fields;
};

/*
 * Of the type of that id, a struct or an enum. -EBADMSG: it makes no sense; -E2BIG: it is larger
 * than any that a handover has; -ENOMEM.
 */
int layout_read(const struct btf *btf, uint32_t id, struct layout *ret);
void layout_done(struct layout *layout);

/*
 * In which way two layouts of one name differ: *ret is one line to be freed by the caller, that
 * speaks of one "here" and the other "there"; or NULL if they do not. -ENOMEM, or 0.
 */
int layout_difference(const struct layout *here, const struct layout *there, char **ret);

#endif
