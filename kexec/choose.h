/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KEXEC_CHOOSE_H
#define KEXEC_CHOOSE_H

#include "kexec/run.h"
#include "kho/client/next.h"

/* What live-update.conf(5) and the boot loader's entries add to the options. */
struct choice {
	struct settings settings;
	struct next_kernel next; /* if no kernel was named */
	char *joined;		 /* the initrds in one file; NULL: there was no need to */
};

/*
 * Completes the options, which borrow from the choice: times and limits that they don't have, and
 * with -l without a kernel the one that comes next by itself, which it says. EXIT_DONE; or
 * complains, and returns what to exit with.
 */
enum exit_code run_choose(struct run *run, struct kexec_options *options, struct choice *ret);

/* The files that were made for it are needed no more, or, if it was staged, those of earlier ones.
 */
void choice_settle(const struct choice *choice, bool staged);

void choice_done(struct choice *choice);

#endif
