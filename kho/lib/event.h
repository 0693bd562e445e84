/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef KHO_LIB_EVENT_H
#define KHO_LIB_EVENT_H

#include <stddef.h>

#include "kho/lib/kho.h"

struct event {
	struct kho_event public; /* its strings are own copies */
	uint64_t deadline_usec;	 /* UINT64_MAX: none */
	struct event *next;
};

struct event_queue {
	struct event *current; /* the service has it now */
	struct event *first, *last;
};

/* Appends a copy of the event. timeout_usec starts to run now. */
int event_queue_push(struct event_queue *queue, const struct kho_event *event);

/* Makes the first event the current one; NULL if there is none. The former current one goes. */
const struct kho_event *event_queue_pop(struct event_queue *queue);

void event_queue_clear(struct event_queue *queue);

#endif
