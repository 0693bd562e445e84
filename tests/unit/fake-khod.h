/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_UNIT_FAKE_KHOD_H
#define TESTS_UNIT_FAKE_KHOD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * A khod for tests of what talks to khod: it speaks io.kho.Handover as the IDL has it, and some of
 * io.kho.Manager, from a thread, and keeps nothing across anything. Between calls of fake_*() the
 * test may look at it and change it while the thread is not in the middle of a call.
 */
#define FAKE_REGIONS 8

struct fake_region {
	char name[64]; /* empty: slot is free */
	int fd;	       /* negative: lost */
	bool required, claimed;
	const char *check;
};

struct fake_khod {
	struct fake_region regions[FAKE_REGIONS];

	/* What the next Register does: this error, and no more; or no reply at all. */
	const char *register_error;
	bool register_hangs_up;
	unsigned n_registered; /* times that Register was called */

	const char *watch_error; /* what the next Watch fails with; NULL: it does not */

	/* The update that is on, and what is asked. */
	const char *update, *phase, *state;
	int64_t timeout_usec;  /* to answer in; 0: 30 s */
	int participant;       /* the last that watched */
	char acknowledged[64]; /* PHASE:UPDATE:accept or refuse:REASON of the last answer */
	char given[128];       /* NAME:OWNER of the last Give of the Manager */
	char order[64];	       /* BEFORE;AFTER that Watch gave, names behind commas */
	char extended[64];     /* PHASE:UPDATE:USEC:REASON of the last request for more time */

	/* The thread's. */
	pthread_t thread;
	int command_fd, commanded_fd, reply_fd, replied_fd;
	struct sd_event *event;
	struct sd_varlink_server *server, *operators;
	struct sd_varlink *watcher, *monitor;
};

/* Listens in $KHO_RUNTIME_DIR. */
void fake_start(struct fake_khod *khod);

/* Closes all connections and the socket; what it knows stays for another start. */
void fake_stop(struct fake_khod *khod);

/* Tells the watcher. reason may be NULL. */
void fake_tell(struct fake_khod *khod, const char *event);

/* Connections that there are now. */
unsigned fake_connections(struct fake_khod *khod);

struct fake_region *fake_find(struct fake_khod *khod, const char *name);
struct fake_region *fake_add(struct fake_khod *khod, const char *name, int fd, const char *check);
void fake_forget(struct fake_khod *khod, const char *name);

#endif
