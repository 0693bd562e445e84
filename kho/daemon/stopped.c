/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <systemd/sd-login.h>

#include "kho/core/cleanup.h"
#include "kho/daemon/stopped.h"

#define CGROUPS "/sys/fs/cgroup"

struct unit_cgroup {
	char *owner;
	char *path; /* as in /proc/PID/cgroup */
};

static struct unit_cgroup *find(const struct manager *m, const char *owner)
{
	for (size_t i = 0; i < m->n_cgroups; i++)
		if (!strcmp(m->cgroups[i].owner, owner))
			return &m->cgroups[i];
	return NULL;
}

static void add(struct manager *m, const char *owner, char *path)
{
	_cleanup_free_ char *copy = strdup(owner);
	struct unit_cgroup *cgroups = NULL;

	if (copy)
		cgroups = reallocarray(m->cgroups, m->n_cgroups + 1, sizeof(*cgroups));
	if (!cgroups) {
		free(path);
		return;
	}
	m->cgroups = cgroups;
	cgroups[m->n_cgroups++] = (struct unit_cgroup){.owner = TAKE_PTR(copy), .path = path};
}

void stopped_note(struct manager *m, const char *owner, int pidfd)
{
	struct unit_cgroup *known;
	char *path;

	/* Only root makes system units; anybody else could fill the list. */
	if (!strncmp(owner, "uid:", strlen("uid:")))
		return;
	if (pidfd < 0 || sd_pidfd_get_cgroup(pidfd, &path) < 0)
		return;
	known = find(m, owner);
	if (!known) {
		add(m, owner, path);
		return;
	}
	free(known->path);
	known->path = path;
}

/* Of a cgroup that systemd has removed, or that is empty with all below it. */
static bool is_empty(const char *path)
{
	_cleanup_free_ char *events = NULL, *line = NULL;
	_cleanup_fclose_ FILE *f = NULL;
	bool empty = false;
	size_t size = 0;

	if (asprintf(&events, CGROUPS "%s/cgroup.events", path) < 0) {
		events = NULL;
		return false;
	}
	f = fopen(events, "re");
	if (!f)
		/* Not so in the older hierarchy, of which nothing is known here. */
		return errno == ENOENT && access(CGROUPS "/cgroup.controllers", F_OK) == 0;
	while (getline(&line, &size, f) > 0)
		empty |= !strcmp(line, "populated 0\n");
	return empty;
}

bool owner_has_stopped(const struct manager *m, const char *owner)
{
	const struct unit_cgroup *known = find(m, owner);

	return known && is_empty(known->path);
}

void stopped_free(struct manager *m)
{
	for (size_t i = 0; i < m->n_cgroups; i++) {
		free(m->cgroups[i].owner);
		free(m->cgroups[i].path);
	}
	free(m->cgroups);
	m->cgroups = NULL;
	m->n_cgroups = 0;
}
