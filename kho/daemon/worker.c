/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "kho/core/cleanup.h"
#include "kho/daemon/worker.h"

struct work {
	work_fn fn;
	work_done_fn done;
	void *data;
	pthread_t thread;
	int ended;
	int result;
	sd_event_source *source;
	sd_event_source *exit_source;
};

static struct work *work_free(struct work *w)
{
	sd_event_source_disable_unref(w->source);
	sd_event_source_disable_unref(w->exit_source);
	safe_close(w->ended);
	free(w);
	return NULL;
}
DEFINE_CLEANUP_FUNC(struct work *, work_free)

static void *work_thread(void *userdata)
{
	struct work *w = userdata;
	uint64_t one = 1;

	w->result = w->fn(w->data);
	/* The counter of an eventfd that nobody else writes can't overflow. */
	if (write(w->ended, &one, sizeof(one)) < 0)
		abort();
	return NULL;
}

static int on_ended(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	_cleanup_(work_freep) struct work *w = userdata;

	pthread_join(w->thread, NULL);
	w->done(w->result, w->data);
	return 0;
}

/* The loop ends first: what the thread works on must outlive it all the same. */
static int on_exit_first(sd_event_source *source, void *userdata)
{
	_cleanup_(work_freep) struct work *w = userdata;

	pthread_join(w->thread, NULL);
	return 0;
}

static int add_sources(sd_event *event, struct work *w)
{
	int r = sd_event_add_io(event, &w->source, w->ended, EPOLLIN, on_ended, w);

	if (r >= 0)
		r = sd_event_add_exit(event, &w->exit_source, on_exit_first, w);
	/* After the connections are closed. */
	if (r >= 0)
		r = sd_event_source_set_priority(w->exit_source, SD_EVENT_PRIORITY_IDLE);
	return r;
}

int work_start(sd_event *event, work_fn fn, work_done_fn done, void *data)
{
	_cleanup_(work_freep) struct work *w = calloc(1, sizeof(*w));
	sigset_t all, before;
	int r;

	if (!w)
		return -ENOMEM;
	*w = (struct work){.fn = fn, .done = done, .data = data, .ended = -EBADF};
	w->ended = eventfd(0, EFD_CLOEXEC);
	if (w->ended < 0)
		return -errno;
	r = add_sources(event, w);
	if (r < 0)
		return r;
	/* Signals are the loop's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&w->thread, NULL, work_thread, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r)
		return -r;
	TAKE_PTR(w);
	return 0;
}
