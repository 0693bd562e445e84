/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <sys/epoll.h>
#include <systemd/sd-daemon.h>

#include "kho/core/cleanup.h"
#include "kho/daemon/fdstore.h"

bool fdstore_exists(void)
{
	return getenv("NOTIFY_SOCKET") && getenv("FDSTORE");
}

uint64_t fdstore_max(void)
{
	return fdstore_exists() ? strtoull(getenv("FDSTORE"), NULL, 10) : UINT64_MAX;
}

int fdstore_push(const char *name, int fd)
{
	_cleanup_free_ char *state = NULL;
	int r;

	if (!fdstore_exists())
		return 0;
	if (asprintf(&state, "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name) < 0)
		return -ENOMEM;
	r = sd_pid_notify_with_fds(0, 0, state, &fd, 1);
	return r < 0 ? r : 0;
}

int fdstore_remove(const char *name)
{
	int r;

	if (!fdstore_exists())
		return 0;
	r = sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", name);
	return r < 0 ? r : 0;
}

int fdstore_wait(uint64_t timeout_usec)
{
	int r;

	if (!fdstore_exists())
		return 0;
	r = sd_notify_barrier(0, timeout_usec);
	return r < 0 ? r : 0;
}

struct barrier {
	fdstore_done_fn done;
	void *userdata;
	int fd;
	sd_event_source *source;
};

static struct barrier *barrier_free(struct barrier *b)
{
	sd_event_source_disable_unref(b->source);
	safe_close(b->fd);
	free(b);
	return NULL;
}
DEFINE_CLEANUP_FUNC(struct barrier *, barrier_free)

static void barrier_end(struct barrier *b, int result)
{
	fdstore_done_fn done = b->done;
	void *userdata = b->userdata;

	barrier_free(b);
	done(result, userdata);
}

static int on_hangup(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	barrier_end(userdata, 0);
	return 0;
}

static int on_no_store(sd_event_source *source, void *userdata)
{
	barrier_end(userdata, 0);
	return 0;
}

int fdstore_barrier(sd_event *event, fdstore_done_fn done, void *userdata)
{
	_cleanup_(barrier_freep) struct barrier *b = calloc(1, sizeof(*b));
	_cleanup_close_ int theirs = -EBADF;
	int ends[2], r;

	if (!b)
		return -ENOMEM;
	*b = (struct barrier){.done = done, .userdata = userdata, .fd = -EBADF};
	if (!fdstore_exists()) {
		r = sd_event_add_defer(event, &b->source, on_no_store, b);
	} else {
		if (pipe2(ends, O_CLOEXEC) < 0)
			return -errno;
		b->fd = ends[0];
		theirs = ends[1];
		/* PID 1 closes its end when it has come to this message. */
		r = sd_pid_notify_with_fds(0, 0, "BARRIER=1", &theirs, 1);
		if (r >= 0)
			r = sd_event_add_io(event, &b->source, b->fd, 0, on_hangup, b);
	}
	if (r < 0)
		return r;
	TAKE_PTR(b);
	return 0;
}
