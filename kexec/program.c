/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "kexec/program.h"
#include "kho/core/cleanup.h"

static int spawn(const char *path, char *const argv[], pid_t *ret)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t defaults;
	int r;

	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	r = posix_spawnattr_init(&attributes);
	if (r != 0)
		return -r;
	r = posix_spawn_file_actions_init(&actions);
	if (r != 0) {
		posix_spawnattr_destroy(&attributes);
		return -r;
	}
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	r = posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
	if (r == 0)
		r = posix_spawn(ret, path, &actions, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return -r;
}

static void wait_for_end(pid_t pid, int signal_fd, bool *ret_interrupted)
{
	_cleanup_close_ int pid_fd = pidfd_open(pid, 0);
	struct pollfd fds[] = {
		{.fd = pid_fd, .events = POLLIN},
		{.fd = signal_fd, .events = POLLIN},
	};

	if (pid_fd < 0)
		return; /* then waitpid() alone waits */
	while (!fds[0].revents) {
		struct signalfd_siginfo info;

		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			return;
		if (!fds[1].revents || read(signal_fd, &info, sizeof(info)) != sizeof(info))
			continue;
		if (*ret_interrupted)
			kill(pid, SIGKILL);
		*ret_interrupted = true;
	}
}

int program_run(const char *path, char *const argv[], int signal_fd, bool *ret_interrupted)
{
	int status, r;
	pid_t pid;

	*ret_interrupted = false;
	fflush(stdout);
	r = spawn(path, argv, &pid);
	if (r < 0)
		return r;
	wait_for_end(pid, signal_fd, ret_interrupted);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}
