/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>

#include "kho/cli/run-child.h"

int run_fds_add(struct run_fds *list, int fd, const char *name)
{
	char **names, *copy;
	int *fds;

	fds = reallocarray(list->fds, list->n + 1, sizeof(*fds));
	if (fds)
		list->fds = fds;
	names = reallocarray(list->names, list->n + 2, sizeof(*names));
	if (names)
		list->names = names;
	copy = strdup(name);
	if (!fds || !names || !copy) {
		free(copy);
		return -ENOMEM;
	}
	fds[list->n] = fd;
	names[list->n++] = copy;
	names[list->n] = NULL;
	return SD_LISTEN_FDS_START + (int)list->n - 1;
}

int run_fds_inherit(struct run_fds *list)
{
	char **names = NULL;
	int n, r = 0;

	n = sd_listen_fds_with_names(1, &names);
	for (int i = 0; i < n && r >= 0; i++)
		r = run_fds_add(list, SD_LISTEN_FDS_START + i, names[i]);
	for (char **name = names; name && *name; name++)
		free(*name);
	free(names);
	return n < 0 ? n : r < 0 ? r : 0;
}

void run_fds_done(struct run_fds *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->names[i]);
	free(list->names);
	free(list->fds);
	*list = (struct run_fds){};
}

/* Moves the descriptors to 3 and up. First all away from there: one's place may be another's. */
static int place_fds(const struct run_fds *list)
{
	int first = SD_LISTEN_FDS_START, n = (int)list->n;

	for (int i = 0; i < n; i++) {
		list->fds[i] = fcntl(list->fds[i], F_DUPFD_CLOEXEC, first + n);
		if (list->fds[i] < 0)
			return -errno;
	}
	for (int i = 0; i < n; i++)
		if (dup2(list->fds[i], first + i) < 0)
			return -errno;
	return 0;
}

static int set_pid(const char *variable)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", getpid());
	return setenv(variable, pid, 1) < 0 ? -errno : 0;
}

static int set_environment(const struct run_fds *list)
{
	_cleanup_free_ char *names = NULL;
	char count[16];
	size_t size;
	FILE *out = open_memstream(&names, &size);

	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < list->n; i++)
		fprintf(out, "%s%s", i > 0 ? ":" : "", list->names[i]);
	if (fclose(out) != 0)
		return -ENOMEM;
	snprintf(count, sizeof(count), "%zu", list->n);
	if (setenv("LISTEN_FDS", count, 1) < 0 || setenv("LISTEN_FDNAMES", names, 1) < 0)
		return -errno;
	/* Newer than LISTEN_PID, and says the same of this process, not of the command. */
	unsetenv("LISTEN_PIDFDID");
	if (getenv("WATCHDOG_PID") && set_pid("WATCHDOG_PID") < 0)
		return -ENOMEM;
	return set_pid("LISTEN_PID");
}

/* Returns only if it fails. */
static int execute(char *const *command, const struct run_fds *list, pid_t parent)
{
	sigset_t none;
	int r;

	/* Two writers in one region would be worse than a dead one. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -errno;
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	r = place_fds(list);
	if (r >= 0)
		r = set_environment(list);
	if (r < 0)
		return r;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(command[0], command);
	return -errno;
}

pid_t run_child_start(char *const *command, const struct run_fds *list)
{
	_cleanup_close_ int result_in = -EBADF, result_out = -EBADF;
	pid_t parent = getpid(), pid;
	int ends[2], error = 0;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	result_in = ends[1];
	result_out = ends[0];
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		/* Out of the way of the descriptors that are to be placed. */
		result_in =
			fcntl(result_in, F_DUPFD_CLOEXEC, SD_LISTEN_FDS_START + 2 * (int)list->n);
		error = execute(command, list, parent);
		if (result_in >= 0 && write(result_in, &error, sizeof(error)) < 0)
			_exit(EXIT_FAILURE);
		_exit(EXIT_FAILURE);
	}
	result_in = safe_close(result_in);
	/* The pipe closes without a word when the command is executed. */
	if (read(result_out, &error, sizeof(error)) != sizeof(error))
		return pid;
	waitpid(pid, NULL, 0);
	return error;
}
