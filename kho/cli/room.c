/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "kho/client/format.h"
#include "kho/cli/room.h"
#include "kho/cli/say.h"
#include "kho/core/cleanup.h"
#include "kho/kernel/memory.h"

/* Left for everybody else: with less, the kernel's next answer is its OOM killer. */
#define RESERVE (UINT64_C(32) << 20)

uint64_t room_reclaimable(const char *memory_stat)
{
	uint64_t sum = 0, value;

	for (const char *line = memory_stat; *line; line++) {
		if (sscanf(line, "active_file %" SCNu64, &value) == 1 ||
		    sscanf(line, "inactive_file %" SCNu64, &value) == 1)
			sum += value;
		line = strchr(line, '\n');
		if (!line)
			break;
	}
	return sum;
}

/* File cache of a cgroup counts against its limit, and goes as soon as the room is needed. */
static uint64_t reclaimable_in(const char *cgroup)
{
	char path[4096], text[16384];
	_cleanup_close_ int fd = -EBADF;
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/fs/cgroup%s/memory.stat", cgroup);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return 0;
	text[n] = '\0';
	return room_reclaimable(text);
}

static int refuse(uint64_t have, uint64_t bytes, uint64_t left, const char *where)
{
	char size[FORMAT_SIZE_MAX], rest[FORMAT_SIZE_MAX];

	format_size(left, rest);
	if (have > 0)
		say("no room: %s are read, and %s has %s left", format_size(have, size), where,
		    rest);
	else
		say("no room: %s are needed, and %s has %s left", format_size(bytes, size), where,
		    rest);
	return -ENOSPC;
}

int room_check(uint64_t have, uint64_t bytes)
{
	_cleanup_free_ char *cgroup = NULL, *where = NULL;
	uint64_t available, headroom;

	if (memory_available(&available) >= 0 && bytes + RESERVE > available)
		return refuse(have, bytes, available, "the machine's memory");
	if (cgroup_memory_headroom(&headroom, &cgroup) < 0 || headroom == UINT64_MAX)
		return 0;
	headroom += reclaimable_in(cgroup);
	if (bytes <= headroom)
		return 0;
	if (asprintf(&where, "memory.max of %s", cgroup) < 0)
		where = NULL;
	return refuse(have, bytes, headroom, where ?: "a cgroup");
}
