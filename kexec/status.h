/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KEXEC_STATUS_H
#define KEXEC_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "kho/client/manager.h"

/* Of what khod's Status says, what kexec needs. */
struct status {
	char *state;
	char *update;	    /* NULL: none; the last one if idle */
	char *next_release; /* NULL: not known */
	char *image;	    /* NULL: none */
	uint64_t regions;
	uint64_t size; /* bytes */
	bool kexec_loaded;
	char **problems; /* NULL-terminated, or NULL */
};

/* Returns as manager_call(), or -EBADMSG; *ret is to be freed by status_done(). */
int status_fetch(struct manager *m, struct status *ret);
/* No update is in progress: it takes a Prepare, or the end of restoring, to have one. */
bool status_is_idle(const struct status *status);

void status_done(struct status *status);

#endif
