/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KEXEC_PROGRESS_H
#define KEXEC_PROGRESS_H

#include <stdbool.h>

#include "kho/client/manager.h"

/*
 * How far khod has come, on stderr: on a terminal one line that is written anew each time, else one
 * line a phase, and one when somebody else is waited for. Zeroed it is ready for use.
 */
struct progress {
	char *shown;  /* of the last line what is not numbers */
	bool on_line; /* the terminal's cursor stands behind an unfinished line */
	bool any;     /* khod has told of something */
};

void progress_show(struct progress *p, const struct manager_progress *progress);

/* Before anything else is printed: the line on the terminal vanishes. */
void progress_clear(struct progress *p);

void progress_done(struct progress *p);

#endif
