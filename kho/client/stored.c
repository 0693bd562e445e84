/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <linux/magic.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>

#include "kho/client/stored.h"

#define PID1 "org.freedesktop.systemd1", "/org/freedesktop/systemd1"
#define MANAGER "org.freedesktop.systemd1.Manager"
#define SERVICE "org.freedesktop.systemd1.Service"
/* What /proc/PID/fd says: mm/shmem.c, and kernel/liveupdate/luo_session.c. */
#define MEMFD "/memfd:"
#define SESSION "anon_inode:[luo_session]"
#define CALL_TIMEOUT_USEC (10 * UINT64_C(1000000))
/* The first whose systemd-shutdown knows of /dev/liveupdate. */
#define SYSTEMD_WITH_LUO 261

#define _cleanup_bus_ _cleanup_(sd_bus_flush_close_unrefp)
#define _cleanup_message_ _cleanup_(sd_bus_message_unrefp)

static void stored_memory_done(struct stored_memory *memory)
{
	free(memory->unit);
	free(memory->name);
}

void stored_memories_done(struct stored_memories *stored)
{
	for (size_t i = 0; i < stored->n; i++)
		stored_memory_done(&stored->items[i]);
	free(stored->items);
	*stored = (struct stored_memories){};
}

bool stored_memories_obstructed(const struct stored_memories *stored)
{
	for (size_t i = 0; i < stored->n; i++)
		if (stored->items[i].obstacle)
			return true;
	return false;
}

static int add(struct stored_memories *stored, const char *unit, const char *name,
	       const char *obstacle)
{
	struct stored_memory memory = {
		.unit = strdup(unit), .name = strdup(name), .obstacle = obstacle};
	struct stored_memory *items =
		reallocarray(stored->items, stored->n + 1, sizeof(*stored->items));

	if (items)
		stored->items = items;
	if (!items || !memory.unit || !memory.name) {
		stored_memory_done(&memory);
		return -ENOMEM;
	}
	items[stored->n++] = memory;
	return 0;
}

/* PID 1's own fd of that file: any other has to be the same file, to be asked about. */
static int open_of_pid1(dev_t device, ino_t inode)
{
	DIR *dir = opendir("/proc/1/fd");
	const struct dirent *entry;
	int fd = -ENOENT;

	if (!dir)
		return -errno;
	while (fd < 0 && (entry = readdir(dir))) {
		struct stat st;

		if (fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 && st.st_dev == device &&
		    st.st_ino == inode)
			fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_CLOEXEC);
	}
	closedir(dir);
	return fd;
}

/* mm/memfd_luo.c, memfd_luo_can_preserve: shmem, and no other kind of memfd */
static const char *obstacle_of(dev_t device, ino_t inode)
{
	_cleanup_close_ int fd = open_of_pid1(device, inode);
	struct statfs fs;

	if (fd < 0 || fstatfs(fd, &fs) < 0 || fs.f_type == TMPFS_MAGIC)
		return NULL;
	return "it is of huge pages of hugetlbfs, which the kernel does not hand over";
}

/* One entry of a store, as far as it is read: the name, mode, device, inode and path. */
static int read_entry(sd_bus_message *reply, const char *unit, const char *general,
		      struct stored_memories *stored)
{
	uint32_t mode, major_number, minor_number, rmajor, rminor, flags;
	const char *name, *path;
	uint64_t inode;
	int r = sd_bus_message_read(reply, "(suuutuusu)", &name, &mode, &major_number,
				    &minor_number, &inode, &rmajor, &rminor, &path, &flags);

	if (r <= 0)
		return r;
	if (strncmp(path, SESSION, strlen(SESSION)) == 0)
		r = add(stored, unit, name, general);
	else if (S_ISREG(mode) && strncmp(path, MEMFD, strlen(MEMFD)) == 0)
		r = add(stored, unit, name,
			general ? general
				: obstacle_of(makedev(major_number, minor_number), inode));
	return r < 0 ? r : 1;
}

static int read_store(sd_bus *bus, const char *unit, const char *general,
		      struct stored_memories *stored)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	int r = sd_bus_call_method(bus, PID1, MANAGER, "DumpUnitFileDescriptorStore", NULL, &reply,
				   "s", unit);

	if (r >= 0)
		r = sd_bus_message_enter_container(reply, 'a', "(suuutuusu)");
	while (r > 0)
		r = read_entry(reply, unit, general, stored);
	return r;
}

/* Neither khod's, nor what systemd's services, all of that name, keep for their own restart. */
static bool is_of_a_service(const char *unit)
{
	return strcmp(unit, "khod.service") != 0 && strncmp(unit, "systemd-", 8) != 0;
}

/* Only what is to outlive more than a restart: the others are dropped when their unit stops. */
static int look_at_unit(sd_bus *bus, const char *unit, const char *path, const char *general,
			struct stored_memories *stored)
{
	_cleanup_free_ char *preserve = NULL;
	uint32_t n = 0;
	int r = sd_bus_get_property_trivial(bus, "org.freedesktop.systemd1", path, SERVICE,
					    "NFileDescriptorStore", NULL, 'u', &n);

	if (r < 0 || n == 0)
		return r;
	r = sd_bus_get_property_string(bus, "org.freedesktop.systemd1", path, SERVICE,
				       "FileDescriptorStorePreserve", NULL, &preserve);
	if (r < 0 || strcmp(preserve, "yes") != 0)
		return r;
	if (read_store(bus, unit, general, stored) >= 0)
		return 0;
	return add(stored, unit, "?", "PID 1 does not say what it is");
}

static int look_at_units(sd_bus *bus, const char *general, struct stored_memories *stored)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	const char *unit, *path;
	int r = sd_bus_call_method(bus, PID1, MANAGER, "ListUnitsByPatterns", NULL, &reply, "asas",
				   0, 1, "*.service");

	if (r >= 0)
		r = sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");
	while (r > 0) {
		r = sd_bus_message_read(reply, "(ssssssouso)", &unit, NULL, NULL, NULL, NULL, NULL,
					&path, NULL, NULL, NULL);
		if (r > 0 && is_of_a_service(unit) &&
		    look_at_unit(bus, unit, path, general, stored) == -ENOMEM)
			/* Other errors: the unit is gone meanwhile. */
			r = -ENOMEM;
	}
	return r;
}

/* What stands in the way of all of it alike. */
static int find_obstacle(sd_bus *bus, const char **ret)
{
	_cleanup_free_ char *version = NULL;
	int r = sd_bus_get_property_string(bus, PID1, MANAGER, "Version", NULL, &version);

	if (r < 0)
		return r;
	if (atoi(version) < SYSTEMD_WITH_LUO)
		*ret = "this systemd does not hand fd stores over, which 261 and newer do";
	else if (access("/dev/liveupdate", F_OK) < 0)
		*ret = "this kernel has no live update: boot it with kho=on liveupdate=on";
	else
		*ret = NULL;
	return 0;
}

int stored_memories_find(struct stored_memories *ret)
{
	_cleanup_(stored_memories_done) struct stored_memories stored = {};
	_cleanup_bus_ sd_bus *bus = NULL;
	const char *general;
	int r;

	*ret = stored;
	if (sd_booted() <= 0)
		return 0;
	r = sd_bus_open_system(&bus);
	if (r >= 0)
		r = sd_bus_set_method_call_timeout(bus, CALL_TIMEOUT_USEC);
	if (r >= 0)
		r = find_obstacle(bus, &general);
	if (r >= 0)
		r = look_at_units(bus, general, &stored);
	if (r < 0)
		return r;
	*ret = stored;
	stored = (struct stored_memories){};
	return 0;
}
