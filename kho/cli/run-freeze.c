/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "kho/cli/run-freeze.h"

struct process {
	pid_t pid;
	pid_t parent;
	char state; /* of the thread that leads it, as in proc_pid_stat(5) */
	bool descends;
};

struct processes {
	struct process *list;
	size_t n;
};

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

#define _cleanup_closedir_ _cleanup_(closedirp)

/* Reads parent and state from a stat file below the directory; 0, or negative if it is gone. */
static int read_stat(int directory, const char *path, pid_t *ret_parent, char *ret_state)
{
	_cleanup_close_ int fd = openat(directory, path, O_RDONLY | O_CLOEXEC);
	char text[512];
	const char *rest;
	ssize_t n;

	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	/* The name before it may contain anything, parentheses too. */
	rest = strrchr(text, ')');
	if (!rest || sscanf(rest, ") %c %d", ret_state, ret_parent) != 2)
		return -EBADMSG;
	return 0;
}

static int add_process(struct processes *processes, struct process process)
{
	struct process *list;

	list = reallocarray(processes->list, processes->n + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	processes->list = list;
	list[processes->n++] = process;
	return 0;
}

static int list_processes(struct processes *processes)
{
	_cleanup_closedir_ DIR *proc = opendir("/proc");
	const struct dirent *entry;
	char path[300];
	int r;

	processes->n = 0;
	if (!proc)
		return -errno;
	while ((entry = readdir(proc))) {
		struct process process = {};

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "%s/stat", entry->d_name);
		process.pid = atoi(entry->d_name);
		if (read_stat(dirfd(proc), path, &process.parent, &process.state) < 0)
			continue;
		r = add_process(processes, process);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Marks the descendants of ancestor: children first, then theirs, until there are no more. */
static void mark_descendants(struct processes *processes, pid_t ancestor)
{
	bool found = true;

	while (found) {
		found = false;
		for (size_t i = 0; i < processes->n; i++) {
			struct process *p = &processes->list[i];
			bool parent_descends = p->parent == ancestor;

			for (size_t j = 0; !p->descends && !parent_descends && j < processes->n;
			     j++)
				parent_descends = processes->list[j].descends &&
						  processes->list[j].pid == p->parent;
			if (!p->descends && parent_descends)
				p->descends = found = true;
		}
	}
}

static bool has_stopped(char state)
{
	return strchr("TtZX", state) != NULL;
}

static bool all_threads_stopped(pid_t pid)
{
	_cleanup_closedir_ DIR *tasks = NULL;
	const struct dirent *entry;
	char path[300], state;
	pid_t parent;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks))) {
		snprintf(path, sizeof(path), "%s/stat", entry->d_name);
		if (entry->d_name[0] != '.' &&
		    read_stat(dirfd(tasks), path, &parent, &state) >= 0 && !has_stopped(state))
			return false;
	}
	return true;
}

static bool is_known(const struct frozen *frozen, pid_t pid)
{
	for (size_t i = 0; i < frozen->n; i++)
		if (frozen->pids[i] == pid)
			return true;
	return false;
}

static int stop_process(struct frozen *frozen, pid_t pid)
{
	pid_t *pids;

	if (is_known(frozen, pid))
		return 0;
	pids = reallocarray(frozen->pids, frozen->n + 1, sizeof(*pids));
	if (!pids)
		return -ENOMEM;
	frozen->pids = pids;
	if (kill(pid, SIGSTOP) < 0)
		return errno == ESRCH ? 0 : -errno;
	pids[frozen->n++] = pid;
	return 0;
}

/* One round: returns how many processes were seen that still run, or a negative errno. */
static int stop_running(struct frozen *frozen, struct processes *processes, pid_t ancestor)
{
	int running = 0, r;

	r = list_processes(processes);
	if (r < 0)
		return r;
	mark_descendants(processes, ancestor);
	for (size_t i = 0; i < processes->n; i++) {
		const struct process *p = &processes->list[i];

		if (!p->descends || (has_stopped(p->state) && all_threads_stopped(p->pid)))
			continue;
		running++;
		r = stop_process(frozen, p->pid);
		if (r < 0)
			return r;
	}
	return running;
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

void frozen_thaw(struct frozen *frozen)
{
	for (size_t i = 0; i < frozen->n; i++)
		kill(frozen->pids[i], SIGCONT);
	frozen->n = 0;
}

/* How long a round of stopping may go nowhere before everything is let go for another one. */
#define ROUND_USEC 100000

int frozen_freeze(struct frozen *frozen, pid_t ancestor, uint64_t timeout)
{
	static const struct timespec pause = {.tv_nsec = 1000000};
	struct processes processes = {};
	uint64_t start = now(), round = start;
	int r;

	/* A process that forks before it stops shows up in the next round. */
	while ((r = stop_running(frozen, &processes, ancestor)) > 0) {
		if (now() - start >= timeout) {
			r = -ETIME;
			break;
		}
		/* Who waits in vfork(2) can't stop until the child has executed, and that one may
		 * have been stopped first.
		 */
		if (now() - round >= ROUND_USEC) {
			frozen_thaw(frozen);
			round = now();
		}
		nanosleep(&pause, NULL);
	}
	free(processes.list);
	return r;
}

int descendants_kill(pid_t ancestor, int signal)
{
	struct processes processes = {};
	int r;

	r = list_processes(&processes);
	if (r >= 0)
		mark_descendants(&processes, ancestor);
	for (size_t i = 0; r >= 0 && i < processes.n; i++)
		if (processes.list[i].descends)
			kill(processes.list[i].pid, signal);
	free(processes.list);
	return r;
}

void frozen_done(struct frozen *frozen)
{
	free(frozen->pids);
	*frozen = (struct frozen){};
}
