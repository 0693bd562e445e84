/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/file.h"
#include "kho/kernel/sessions.h"

/* kernel/liveupdate/luo_session.c, luo_session_getfile: the name of the file, and after it ours */
#define LINK_PREFIX "anon_inode:[luo_session] "

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static DIR *open_directory(int at_fd, const char *path)
{
	int fd = openat(at_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		safe_close(fd);
	return dir;
}

/* "kho-" and 16 hexadecimal digits, "-" and a number. */
static bool is_ours(const char *name)
{
	const char *p = name + 4;

	if (strncmp(name, "kho-", 4) != 0 || strspn(p, "0123456789abcdef") != 16 || p[16] != '-')
		return false;
	p += 17;
	return *p && p[strspn(p, "0123456789")] == '\0';
}

static int add(struct luo_sessions *sessions, int root_fd, pid_t pid, const char *name)
{
	struct luo_session_holder *holders, *holder;
	char path[64];

	for (size_t i = 0; i < sessions->n_holders; i++)
		if (strcmp(sessions->holders[i].name, name) == 0)
			return 0;
	holders = reallocarray(sessions->holders, sessions->n_holders + 1, sizeof(*holders));
	if (!holders)
		return -ENOMEM;
	sessions->holders = holders;
	holder = &holders[sessions->n_holders];
	*holder = (struct luo_session_holder){.name = strdup(name), .pid = pid};
	if (!holder->name)
		return -ENOMEM;
	sessions->n_holders++;
	snprintf(path, sizeof(path), "proc/%d/comm", (int)pid);
	if (read_line_at(root_fd, path, holder->program, sizeof(holder->program)) < 0)
		holder->program[0] = '\0';
	return 0;
}

/* A process that has ended, or that we may not look into, is passed over. */
static int look_into(struct luo_sessions *sessions, int root_fd, pid_t pid)
{
	_cleanup_(closedirp) DIR *dir = NULL;
	const struct dirent *entry;
	char path[64], target[PATH_MAX];
	int r = 0;

	snprintf(path, sizeof(path), "proc/%d/fd", (int)pid);
	dir = open_directory(root_fd, path);
	if (!dir)
		return 0;
	while (r >= 0 && (entry = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

		if (n <= 0)
			continue;
		target[n] = '\0';
		if (strncmp(target, LINK_PREFIX, strlen(LINK_PREFIX)) == 0 &&
		    !is_ours(target + strlen(LINK_PREFIX)))
			r = add(sessions, root_fd, pid, target + strlen(LINK_PREFIX));
	}
	return r;
}

static int compare(const void *a, const void *b)
{
	const struct luo_session_holder *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int foreign_sessions_at(int root_fd, struct luo_sessions *ret)
{
	_cleanup_(closedirp) DIR *dir = open_directory(root_fd, "proc");
	_cleanup_(luo_sessions_done) struct luo_sessions sessions = {};
	const struct dirent *entry;
	int r;

	if (!dir)
		return -errno;
	/* Processes come in the order of their numbers. */
	while ((entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		r = look_into(&sessions, root_fd, (pid_t)atoi(entry->d_name));
		if (r < 0)
			return r;
	}
	if (sessions.n_holders > 0)
		qsort(sessions.holders, sessions.n_holders, sizeof(*sessions.holders), compare);
	*ret = sessions;
	sessions = (struct luo_sessions){};
	return 0;
}

void luo_sessions_done(struct luo_sessions *sessions)
{
	for (size_t i = 0; i < sessions->n_holders; i++)
		free(sessions->holders[i].name);
	free(sessions->holders);
	*sessions = (struct luo_sessions){};
}
