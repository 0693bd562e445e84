/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "kho/lib/handle.h"

static struct event *event_free(struct event *event)
{
	if (!event)
		return NULL;
	free((char *)event->public.update);
	free((char *)event->public.region);
	free((char *)event->public.reason);
	free((char *)event->public.manner);
	free(event);
	return NULL;
}

static void event_freep(struct event **event)
{
	event_free(*event);
}

static int copy_string(const char **ret, const char *s)
{
	*ret = s ? strdup(s) : NULL;
	return s && !*ret ? -ENOMEM : 0;
}

int event_queue_push(struct event_queue *queue, const struct kho_event *public)
{
	_cleanup_(event_freep) struct event *event = calloc(1, sizeof(*event));

	if (!event)
		return -ENOMEM;
	event->public.type = public->type;
	if (copy_string(&event->public.update, public->update) < 0 ||
	    copy_string(&event->public.region, public->region) < 0 ||
	    copy_string(&event->public.reason, public->reason) < 0 ||
	    copy_string(&event->public.manner, public->manner) < 0)
		return -ENOMEM;
	event->deadline_usec = UINT64_MAX;
	if (public->timeout_usec < UINT64_MAX - now_usec())
		event->deadline_usec = now_usec() + public->timeout_usec;

	if (queue->last)
		queue->last->next = event;
	else
		queue->first = event;
	queue->last = TAKE_PTR(event);
	return 0;
}

const struct kho_event *event_queue_pop(struct event_queue *queue)
{
	struct event *event = queue->first;

	event_free(queue->current);
	queue->current = event;
	if (!event)
		return NULL;
	queue->first = event->next;
	if (!queue->first)
		queue->last = NULL;

	event->public.timeout_usec = UINT64_MAX;
	if (event->deadline_usec != UINT64_MAX) {
		uint64_t now = now_usec();

		event->public.timeout_usec =
			event->deadline_usec > now ? event->deadline_usec - now : 0;
	}
	return &event->public;
}

void event_queue_clear(struct event_queue *queue)
{
	do
		event_queue_pop(queue);
	while (queue->current);
}
