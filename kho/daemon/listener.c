/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "kho/core/paths.h"
#include "kho/daemon/clock.h"
#include "kho/daemon/listener.h"
#include "kho/daemon/log.h"

#define BACKLOG 4096
#define COMPLAINT_USEC (60 * USEC_PER_SEC)

struct listener {
	struct manager *m;
	int fd;
	int spare; /* given up for a moment when there are no more fds */
	listener_add_fn add;
	sd_event_source *source;
	uint64_t complained_usec; /* CLOCK_MONOTONIC; 0: never */
};

static int open_spare(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

struct listener *listener_free(struct listener *listener)
{
	if (!listener)
		return NULL;
	sd_event_source_disable_unref(listener->source);
	safe_close(listener->fd);
	safe_close(listener->spare);
	free(listener);
	return NULL;
}

/* Not for each: who causes it must not be able to fill the log. */
static void complain(struct listener *listener, int error)
{
	uint64_t now;

	if (sd_event_now(listener->m->event, CLOCK_MONOTONIC, &now) < 0 ||
	    (listener->complained_usec && now < listener->complained_usec + COMPLAINT_USEC))
		return;
	listener->complained_usec = now;
	log_error("Connections can't be accepted: %s; see which processes have many to khod",
		  strerror(-error));
}

static int accept_one(struct listener *listener)
{
	int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Without room for it, the connection would stay in the queue and wake the loop again and again:
 * with the spare fd's room it is taken, and turned away unless there is room again.
 */
static int accept_with_spare(struct listener *listener)
{
	int fd;

	listener->spare = safe_close(listener->spare);
	fd = accept_one(listener);
	listener->spare = open_spare();
	return listener->spare < 0 ? safe_close(fd) : fd;
}

static int on_connection(sd_event_source *source, int listening, uint32_t revents, void *userdata)
{
	struct listener *listener = userdata;
	_cleanup_close_ int fd = accept_one(listener);

	if (fd == -EMFILE || fd == -ENFILE) {
		complain(listener, fd);
		fd = accept_with_spare(listener);
	}
	/* It is gone already, or khod can do nothing about it: the next one may be luckier. */
	if (fd >= 0 && listener->add(listener->m, fd) >= 0)
		TAKE_FD(fd);
	return 0;
}

static int bind_to(int fd, const char *path, mode_t mode)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	mode_t before;
	int r;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	/* One khod runs, its lock says: whoever listened there is dead. */
	if (unlink(path) < 0 && errno != ENOENT)
		return -errno;
	before = umask(~mode & 0777);
	r = bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
	umask(before);
	return r < 0 || listen(fd, BACKLOG) == 0 ? r : -errno;
}

static int make_socket(const char *file, mode_t mode)
{
	_cleanup_free_ char *path = runtime_path(file);
	_cleanup_close_ int fd = -EBADF;
	int r;

	if (!path)
		return -ENOMEM;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = bind_to(fd, path, mode);
	return r < 0 ? r : TAKE_FD(fd);
}

int listener_new(struct manager *m, int fd, const char *file, mode_t mode, int64_t priority,
		 listener_add_fn add, struct listener **ret)
{
	_cleanup_(listener_freep) struct listener *listener = calloc(1, sizeof(*listener));
	int r;

	if (!listener) {
		safe_close(fd);
		return -ENOMEM;
	}
	*listener = (struct listener){.m = m, .fd = fd, .spare = open_spare(), .add = add};
	if (listener->fd < 0)
		listener->fd = make_socket(file, mode);
	if (listener->fd < 0)
		return listener->fd;
	if (fcntl(listener->fd, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	r = sd_event_add_io(m->event, &listener->source, listener->fd, EPOLLIN, on_connection,
			    listener);
	if (r >= 0)
		r = sd_event_source_set_priority(listener->source, priority);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(listener);
	return 0;
}
