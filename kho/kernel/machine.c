/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/file.h"
#include "kho/kernel/machine.h"
#include "kho/kernel/memory.h"

#define DEBUGFS_OUT "sys/kernel/debug/kho/out/"
#define AREAS_MAX 1024 /* three, and one a NUMA node */
#define IMA_LIST "sys/kernel/security/ima/binary_runtime_measurements"
#define IMA_LIST_MAX (256u << 20)
/* security/integrity/ima/ima_kexec.c: the list may still grow by this much. */
#define IMA_EXTRA 4096
/* efi_memory_desc_t of today's firmware; each has a directory of its own. */
#define EFI_MAP "sys/firmware/efi/runtime-map"
#define EFI_MAP_ENTRY_SIZE 48

static uint64_t meminfo_total(const char *text)
{
	const char *line = strstr(text, "MemTotal:");

	return line ? strtoull(line + strlen("MemTotal:"), NULL, 10) * 1024 : 0;
}

static int read_memory(int root_fd, struct machine *machine)
{
	_cleanup_free_ char *text = NULL;
	struct memory_room room;
	int r = read_file_at(root_fd, "proc/meminfo", 1u << 20, &text, NULL);

	if (r >= 0)
		r = memory_room_at(root_fd, &room);
	if (r < 0)
		return r;
	machine->memory_total = meminfo_total(text);
	machine->memory_available = room.available;
	return 0;
}

static int read_cmdline(int root_fd, struct machine *machine)
{
	int r = read_file_at(root_fd, "proc/cmdline", 65536, &machine->cmdline, NULL);
	size_t length;

	if (r < 0)
		return r;
	length = strcspn(machine->cmdline, "\n");
	while (length > 0 && machine->cmdline[length - 1] == ' ')
		length--;
	machine->cmdline[length] = '\0';
	return 0;
}

/* One number a line, an area each. Returns how many. */
static ssize_t read_numbers(int root_fd, const char *file, uint64_t *numbers)
{
	_cleanup_free_ char *text = NULL;
	const char *p;
	ssize_t n = 0;
	int r = read_file_at(root_fd, file, 1u << 20, &text, NULL);

	if (r < 0)
		return r;
	for (p = text; *p && n < AREAS_MAX; n++) {
		char *end;

		numbers[n] = strtoull(p, &end, 0);
		if (end == p)
			return -EBADMSG;
		p = end + strspn(end, " \n");
	}
	return *p ? -EBADMSG : n;
}

static ssize_t read_pair(int root_fd, const char *addresses_file, const char *sizes_file,
			 struct placement_area **ret)
{
	_cleanup_free_ uint64_t *addresses = calloc(AREAS_MAX, sizeof(*addresses));
	_cleanup_free_ uint64_t *sizes = calloc(AREAS_MAX, sizeof(*sizes));
	struct placement_area *areas;
	ssize_t n;

	if (!addresses || !sizes)
		return -ENOMEM;
	n = read_numbers(root_fd, addresses_file, addresses);
	if (n < 0)
		return n;
	if (read_numbers(root_fd, sizes_file, sizes) != n)
		return -EBADMSG;
	areas = calloc((size_t)n + 1, sizeof(*areas));
	if (!areas)
		return -ENOMEM;
	for (ssize_t i = 0; i < n; i++)
		areas[i] = (struct placement_area){.start = addresses[i], .size = sizes[i]};
	*ret = areas;
	return n;
}

/* 7.4 has the same files by other names. */
static int read_scratch(int root_fd, struct machine *machine)
{
	ssize_t n = read_pair(root_fd, DEBUGFS_OUT "scratch_phys", DEBUGFS_OUT "scratch_len",
			      &machine->areas);

	if (n == -ENOENT)
		n = read_pair(root_fd, DEBUGFS_OUT "bootmem_phys", DEBUGFS_OUT "bootmem_len",
			      &machine->areas);
	if (n == -ENOMEM)
		return -ENOMEM;
	if (n >= 0) {
		machine->n_areas = (size_t)n;
		return 0;
	}
	if (n == -ENOENT)
		machine->scratch_problem = strdup("the scratch areas can't be seen: mount debugfs "
						  "on /sys/kernel/debug");
	else if (asprintf(&machine->scratch_problem, "the scratch areas can't be seen: %s",
			  strerror((int)-n)) < 0)
		machine->scratch_problem = NULL;
	return machine->scratch_problem ? 0 : -ENOMEM;
}

/* "none [integrity] confidentiality"; security/lockdown/lockdown.c */
static bool is_locked_down(int root_fd)
{
	char line[128];

	if (read_line_at(root_fd, "sys/kernel/security/lockdown", line, sizeof(line)) < 0)
		return false;
	return strstr(line, "[integrity]") || strstr(line, "[confidentiality]");
}

static uint64_t read_ima_size(int root_fd)
{
	_cleanup_free_ char *list = NULL;
	size_t size;

	if (read_file_at(root_fd, IMA_LIST, IMA_LIST_MAX, &list, &size) < 0)
		return 0;
	return size + IMA_EXTRA;
}

static uint64_t read_efi_map_size(int root_fd)
{
	int fd = openat(root_fd, EFI_MAP, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	uint64_t n = 0;

	if (!dir) {
		safe_close(fd);
		return 0;
	}
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n * EFI_MAP_ENTRY_SIZE;
}

int machine_read_at(int root_fd, struct machine *ret)
{
	char line[16];
	int r;

	*ret = (struct machine){.page_size = (uint64_t)sysconf(_SC_PAGESIZE)};
	r = kernel_probe_at(root_fd, &ret->kernel);
	if (r >= 0)
		r = read_memory(root_fd, ret);
	if (r >= 0)
		r = read_cmdline(root_fd, ret);
	if (r >= 0)
		r = read_scratch(root_fd, ret);
	if (r >= 0)
		r = foreign_sessions_at(root_fd, &ret->sessions);
	if (r < 0)
		return r;
	ret->loading_disabled = read_line_at(root_fd, "proc/sys/kernel/kexec_load_disabled", line,
					     sizeof(line)) >= 0 &&
				line[0] == '1';
	ret->locked_down = is_locked_down(root_fd);
	ret->ima_size = read_ima_size(root_fd);
	ret->efi_map_size = read_efi_map_size(root_fd);
	ret->sessions_seen = geteuid() == 0;
	return 0;
}

int machine_read(struct machine *ret)
{
	_cleanup_close_ int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	*ret = (struct machine){};
	return root_fd < 0 ? -errno : machine_read_at(root_fd, ret);
}

void machine_done(struct machine *machine)
{
	kernel_info_done(&machine->kernel);
	luo_sessions_done(&machine->sessions);
	free(machine->cmdline);
	free(machine->areas);
	free(machine->scratch_problem);
	*machine = (struct machine){};
}
