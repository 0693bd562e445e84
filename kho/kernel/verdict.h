/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_VERDICT_H
#define KHO_KERNEL_VERDICT_H

#include <stddef.h>
#include <stdint.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/image.h"
#include "kho/kernel/machine.h"
#include "kho/kernel/running.h"

/* Whether memory survives the change to another kernel. The worse the later. */
enum verdict_kind {
	VERDICT_IN_PLACE,
	VERDICT_UNKNOWN, /* nothing speaks against it, but not all is known that has to be */
	VERDICT_COPY,	 /* not in place; a copy of it would */
	VERDICT_NO,	 /* that kernel can't be changed to at all */
	_VERDICT_KIND_MAX,
};

enum finding_weight {
	FINDING_FINE,
	FINDING_NOTE, /* to be known, and decides nothing */
	FINDING_UNKNOWN,
	FINDING_COPY,
	FINDING_NO,
	_FINDING_WEIGHT_MAX,
};

/* One thing that was looked at. */
struct finding {
	enum finding_weight weight;
	const char *topic;  /* a word or two; constant */
	char *here, *there; /* the two strings that were compared; NULL: unknown, or none were */
	char *text;	    /* one line, with the way out if there is one */
};

struct verdict {
	enum verdict_kind kind;
	struct finding *findings; /* in the order in which they were looked at */
	size_t n_findings;
	char *append; /* what the next command line lacks; NULL: nothing */

	int error; /* private */
};

struct verdict_question {
	const struct machine *machine;
	const struct running_kernel *here;
	const struct image *image;
	const char *cmdline;  /* that the next kernel is given, without what is built into it */
	uint64_t initrd_size; /* bytes; 0: none */
};

/* Decides from what is given alone. Returns 0 or -ENOMEM; *ret is the caller's. */
int verdict_decide(const struct verdict_question *question, struct verdict **ret);

struct verdict *verdict_free(struct verdict *verdict);
DEFINE_CLEANUP_FUNC(struct verdict *, verdict_free)
#define _cleanup_verdict_ _cleanup_(verdict_freep)

/* What decided: the first finding of the verdict's weight. NULL: it is in place. */
const struct finding *verdict_reason(const struct verdict *verdict);

/* in-place, unknown, copy, no; fine, note, unknown, copy, no. Never NULL. */
const char *verdict_kind_name(enum verdict_kind kind);
const char *finding_weight_name(enum finding_weight weight);

#endif
