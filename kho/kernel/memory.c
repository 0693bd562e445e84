/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/file.h"
#include "kho/kernel/memory.h"

static int root_open(void)
{
	int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* A field of /proc/meminfo in bytes; a kernel without CMA has no CMA lines, which is 0. */
static uint64_t meminfo_field(const char *text, const char *name)
{
	size_t length = strlen(name);
	uint64_t kib;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, length) == 0 && line[length] == ':' &&
		    sscanf(line + length + 1, "%" SCNu64, &kib) == 1)
			return kib * 1024;
	}
	return 0;
}

/*
 * Bytes of KHO's scratch. The kernel counts what is free in it as CmaFree, but does not count it in
 * CmaTotal (kernel/liveupdate/kexec_handover.c, kho_init); without debugfs nothing
 * tells.
 */
static uint64_t scratch_total(int root_fd)
{
	static const char *const files[] = {
		"sys/kernel/debug/kho/out/scratch_len",
		"sys/kernel/debug/kho/out/bootmem_len",
	};
	uint64_t total = 0;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_free_ char *text = NULL;
		char *save = NULL;

		if (read_file_at(root_fd, files[i], 65536, &text, NULL) < 0)
			continue;
		for (char *line = strtok_r(text, "\n", &save); line;
		     line = strtok_r(NULL, "\n", &save))
			total += strtoull(line, NULL, 16);
	}
	return total;
}

int memory_room_at(int root_fd, struct memory_room *ret)
{
	_cleanup_free_ char *text = NULL;
	uint64_t available, cma_total, cma_free;
	int r = read_file_at(root_fd, "proc/meminfo", 1 << 20, &text, NULL);

	if (r < 0)
		return r;
	if (!strstr(text, "MemAvailable:"))
		return -EBADMSG;
	available = meminfo_field(text, "MemAvailable");
	cma_free = meminfo_field(text, "CmaFree");
	cma_total = meminfo_field(text, "CmaTotal") + scratch_total(root_fd);
	ret->available = available > cma_free ? available - cma_free : 0;
	ret->cma_used = cma_total > cma_free ? cma_total - cma_free : 0;
	return 0;
}

int memory_room(struct memory_room *ret)
{
	_cleanup_close_ int root = root_open();

	return root < 0 ? root : memory_room_at(root, ret);
}

int memory_available(uint64_t *ret_bytes)
{
	struct memory_room room;
	int r = memory_room(&room);

	if (r == 0)
		*ret_bytes = room.available;
	return r;
}

/* The path in the line 0::PATH of /proc/self/cgroup, or NULL where there is no cgroup v2. */
static char *cgroup_path(char *text)
{
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (strncmp(line, "0::/", 4) == 0)
			return line + 3;
	return NULL;
}

/*
 * What one cgroup leaves: 1 and the bytes, or 0 if it has no limit. The root has one only where it
 * is that of a cgroup namespace.
 */
static int cgroup_room(int root_fd, const char *path, uint64_t *ret)
{
	char file[PATH_MAX], line[32];
	uint64_t max, current;
	int r;

	if ((size_t)snprintf(file, sizeof(file), "sys/fs/cgroup%s/memory.max", path) >=
	    sizeof(file))
		return -ENAMETOOLONG;
	r = read_line_at(root_fd, file, line, sizeof(line));
	if (r == -ENOENT || (r == 0 && strcmp(line, "max") == 0))
		return 0;
	if (r < 0)
		return r;
	if (sscanf(line, "%" SCNu64, &max) != 1)
		return -EBADMSG;

	strcpy(strrchr(file, '/'), "/memory.current");
	r = read_line_at(root_fd, file, line, sizeof(line));
	if (r < 0)
		return r;
	if (sscanf(line, "%" SCNu64, &current) != 1)
		return -EBADMSG;
	*ret = max > current ? max - current : 0;
	return 1;
}

int cgroup_memory_headroom_at(int root_fd, uint64_t *ret_bytes, char **ret_path)
{
	_cleanup_free_ char *text = NULL, *limiting = NULL;
	uint64_t least = UINT64_MAX;
	char *path;
	int r = read_file_at(root_fd, "proc/self/cgroup", 1 << 20, &text, NULL);

	if (r < 0 && r != -ENOENT)
		return r;
	path = text ? cgroup_path(text) : NULL;
	while (path) {
		uint64_t left;

		r = cgroup_room(root_fd, path, &left);
		if (r < 0)
			return r;
		if (r > 0 && left < least) {
			least = left;
			free(limiting);
			limiting = strdup(*path ? path : "/");
			if (!limiting)
				return -ENOMEM;
		}
		if (!*path)
			break;
		*strrchr(path, '/') = '\0';
	}
	*ret_bytes = least;
	*ret_path = TAKE_PTR(limiting);
	return 0;
}

int cgroup_memory_headroom(uint64_t *ret_bytes, char **ret_path)
{
	_cleanup_close_ int root = root_open();

	return root < 0 ? root : cgroup_memory_headroom_at(root, ret_bytes, ret_path);
}
