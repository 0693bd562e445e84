/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>

#include "kho/core/cleanup.h"
#include "kho/daemon/execution.h"
#include "kho/daemon/fdstore.h"
#include "kho/daemon/log.h"
#include "kho/daemon/updater-private.h"

/* A process that does not have to leave the kernel first is gone at once. */
#define END_MSEC 1000

/* How often the kernel is given that time to execute the next one, or to fail. */
#define END_ATTEMPTS 30

void execution_forget(struct updater *u)
{
	(void)fdstore_remove(EXECUTION_STORE_NAME);
	u->execution_pidfd = safe_close(u->execution_pidfd);
}

void execution_note_status(struct manager *m, sd_varlink *link)
{
	struct updater *u = m->updater;
	int fd;

	if (m->update->state != UPDATE_FROZEN || u->operator != link)
		return;
	fd = sd_varlink_get_peer_pidfd(link);
	if (fd >= 0)
		fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	execution_forget(u);
	u->execution_pidfd = fd;
	if (fd < 0 || fdstore_push(EXECUTION_STORE_NAME, fd) < 0)
		log_warning("The process that executes the update can't be held on to");
	updater_extend_frozen(u);
}

static bool is_same_process(sd_varlink *a, sd_varlink *b)
{
	pid_t pid_a, pid_b;

	return a && b && sd_varlink_get_peer_pid(a, &pid_a) >= 0 &&
	       sd_varlink_get_peer_pid(b, &pid_b) >= 0 && pid_a == pid_b;
}

int execution_prevent(struct manager *m, sd_varlink *caller)
{
	struct updater *u = m->updater;
	struct pollfd ended = {.fd = u->execution_pidfd, .events = POLLIN};

	if (ended.fd < 0 || is_same_process(u->operator, caller))
		return 0;
	if (pidfd_send_signal(ended.fd, SIGKILL, NULL, 0) < 0 && errno != ESRCH) {
		log_error("The process that was to execute the update can't be ended: %m");
		return 0;
	}
	if (poll(&ended, 1, END_MSEC) == 0) {
		log_error("Too late to stop: the kernel is executing the next one");
		return -EBUSY;
	}
	execution_forget(u);
	return 0;
}

void execution_recover(struct manager *m, int pidfd)
{
	m->updater->execution_pidfd = pidfd;
	for (int i = 0; i < END_ATTEMPTS && execution_prevent(m, NULL) < 0; i++)
		;
}
