/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_MEMORY_H
#define KHO_KERNEL_MEMORY_H

#include <stdint.h>

/* All in bytes. */
struct memory_room {
	uint64_t available; /* MemAvailable − CmaFree: what the kernel can hand out for good */
	/* Memory in use in CMA and in KHO's scratch: the kernel moves it away to preserve it. 0 if
	 * the size of scratch is hidden, without debugfs. */
	uint64_t cma_used;
};

/* From /proc/meminfo. Errors: what reading it gave, -EBADMSG. */
int memory_room(struct memory_room *ret);

/* MemAvailable − CmaFree in bytes. */
int memory_available(uint64_t *ret_bytes);

/*
 * The smallest memory.max − memory.current over the caller's cgroup (v2) and all its ancestors;
 * UINT64_MAX, and NULL in *ret_path, if nothing limits it. *ret_path is the cgroup that limits, as
 * in /proc/self/cgroup, the caller's to free. Errors: what reading gave, -ENOMEM. Without cgroup v2
 * there is no limit.
 */
int cgroup_memory_headroom(uint64_t *ret_bytes, char **ret_path);

/* The same below the directory root_fd instead of /; for tests. */
int memory_room_at(int root_fd, struct memory_room *ret);
int cgroup_memory_headroom_at(int root_fd, uint64_t *ret_bytes, char **ret_path);

#endif
