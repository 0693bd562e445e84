/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef KHO_LIB_HANDLE_H
#define KHO_LIB_HANDLE_H

#include <systemd/sd-json.h>
#include <systemd/sd-varlink.h>

#include "kho/lib/cleanup.h"
#include "kho/lib/event.h"
#include "kho/lib/kho.h"

/* Time that khod has for an answer, and a restarting khod to be there again; microseconds. */
#define ANSWER_USEC UINT64_C(45000000)
#define RESTART_USEC UINT64_C(5000000)

/* What khod said about a region; the strings belong to json. */
struct region_reply {
	struct kho_region region;
	sd_json_variant *json;
};

/* A region that khod has from us, so that it can have it again. */
struct kept {
	char *name;
	char *memdesc; /* NULL: claimed, or the default */
	bool required;
	int fd; /* own duplicate */
};

enum phase { PHASE_NONE, PHASE_PREPARE, PHASE_FREEZE };

/* What khod last asked, and what the service answered. */
struct question {
	enum phase phase; /* NONE: nothing is asked */
	char *update;
	bool answered, accepted;
	bool orphaned; /* khod was away since, and may have given the update up */
	char *reason;
};

struct watch {
	bool wanted; /* kho_watch() was called and succeeded */
	bool required;
	char **freeze_before, **freeze_after; /* end with NULL; NULL: nobody is named */
	sd_varlink *link;		      /* NULL while khod is away */
	bool established;		      /* khod has said "watching" on link */
	int error;			      /* why link is of no use any more; 0: it is */
	uint64_t participant;
	uint64_t delay_usec, next_usec; /* looking for khod: every, next at */
	struct question question;
};

struct kho {
	char *address;
	char *message;
	int poll_fd, timer_fd; /* what kho_get_fd() gives, and the timer in it */

	sd_varlink *link; /* for calls; NULL if there is none at the moment */
	bool recheck;	  /* khod was away, and may have come back without our regions */
	struct region_reply claimed;
	sd_json_variant *list_json;
	struct kho_region *list;
	const struct kho_region **list_index;

	struct kept *kept;
	size_t n_kept;

	struct watch watch;
	struct event_queue events;
};

/* The time of CLOCK_MONOTONIC, microseconds. */
uint64_t now_usec(void);

/*
 * Sets the handle's message, and returns error. The format may use what the present message points
 * to.
 */
__attribute__((format(printf, 3, 4))) int fail(struct kho *k, int error, const char *format, ...);

#endif
