/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/file.h"
#include "kho/kernel/generation.h"
#include "kho/kernel/kernel-blob.h"

#define DEBUGFS_KHO "sys/kernel/debug/kho"

static bool exists(int root_fd, const char *path)
{
	return faccessat(root_fd, path, F_OK, 0) == 0;
}

/* Whether the kernel was built with a function; -ENOENT if it does not name its functions. */
static int has_symbol(int root_fd, const char *name)
{
	_cleanup_close_ int fd = openat(root_fd, "proc/kallsyms", O_RDONLY | O_CLOEXEC);
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *line = NULL;
	size_t room = 0;

	if (fd < 0)
		return -errno;
	f = fdopen(fd, "re");
	if (!f)
		return -errno;
	TAKE_FD(fd);
	/* ADDRESS TYPE NAME, then a tab and the module of those that have one */
	while (getline(&line, &room, f) > 0) {
		char *symbol = strchr(line, ' ');

		symbol = symbol ? strchr(symbol + 1, ' ') : NULL;
		if (symbol && strcspn(symbol + 1, "\t\n") == strlen(name) &&
		    strncmp(symbol + 1, name, strlen(name)) == 0)
			return 1;
	}
	return ferror(f) ? -EIO : 0;
}

/* A debugfs that is mounted, and that we may look into, is never empty. */
const char *kernel_debugfs_problem(int root_fd)
{
	int fd = openat(root_fd, "sys/kernel/debug", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry = NULL;

	if (!dir) {
		bool denied = errno == EACCES || errno == EPERM;

		safe_close(fd);
		return denied ? "debugfs is for root alone: look as root"
			      : "debugfs is missing: boot a kernel with CONFIG_DEBUG_FS=y";
	}
	do
		entry = readdir(dir);
	while (entry && entry->d_name[0] == '.');
	closedir(dir);
	return entry ? NULL : "debugfs is not mounted: mount -t debugfs debugfs /sys/kernel/debug";
}

bool kernel_debugfs_is_readable(int root_fd)
{
	return !kernel_debugfs_problem(root_fd);
}

/* Where debugfs shows nothing, the kernel's own functions tell what it was built with. */
static enum kho_generation generation_hidden(int root_fd)
{
	int r = has_symbol(root_fd, "kho_is_enabled");

	if (r == 0)
		return KHO_NONE;
	return r > 0 && kernel_debugfs_is_readable(root_fd) ? KHO_OFF : KHO_UNKNOWN;
}

enum kho_generation kernel_generation_at(int root_fd)
{
	unsigned int major = 0, minor = 0;
	char release[65];

	if (exists(root_fd, "sys/kernel/kho/active"))
		return KHO_OUT_OF_TREE;
	/* kernel/liveupdate/kexec_handover_debugfs.c, kho_out_debugfs_init */
	if (exists(root_fd, DEBUGFS_KHO "/out/finalize"))
		return KHO_FINALIZE;
	if (exists(root_fd, DEBUGFS_KHO "/out/bootmem_phys"))
		return KHO_BOOTMEM;
	if (exists(root_fd, DEBUGFS_KHO "/out"))
		return KHO_STATELESS;
	if (!exists(root_fd, "dev/liveupdate"))
		return generation_hidden(root_fd);
	/* The device is there only with KHO switched on; without debugfs the version tells which.
	 */
	if (read_line_at(root_fd, "proc/sys/kernel/osrelease", release, sizeof(release)) == 0 &&
	    sscanf(release, "%u.%u", &major, &minor) == 2 &&
	    (major > 7 || (major == 7 && minor >= 4)))
		return KHO_BOOTMEM;
	return KHO_STATELESS;
}

static int luo_missing(int root_fd, const struct kernel_info *info, char **ret_reason)
{
	const char *advice = info->generation == KHO_UNKNOWN && info->debugfs_problem
				     ? info->debugfs_problem
				     : kho_generation_advice(info->generation);

	if (info->generation == KHO_STATELESS || info->generation == KHO_BOOTMEM) {
		if (has_symbol(root_fd, "liveupdate_enabled") == 0)
			advice = "this kernel is built without CONFIG_LIVEUPDATE: boot one that is "
				 "built with it";
		else
			advice =
				"live update is switched off: boot with liveupdate=on on the kernel "
				"command line";
	}
	*ret_reason = strdup(advice);
	return *ret_reason ? 0 : -ENOMEM;
}

/*
 * Whether the device opens. The first open of a boot reads what the previous kernel handed over; if
 * that fails, every later one does (kernel/liveupdate/luo_session.c, luo_session_deserialize).
 */
static int probe_luo(int root_fd, struct kernel_info *info)
{
	_cleanup_close_ int fd = openat(root_fd, "dev/liveupdate", O_RDWR | O_CLOEXEC | O_NOCTTY);
	const char *reason;

	/* Somebody has it open: it works. */
	info->luo = fd >= 0 || errno == EBUSY;
	if (info->luo)
		return 0;
	switch (errno) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return luo_missing(root_fd, info, &info->luo_reason);
	case EIO:
		reason = "this kernel could not read what the previous one handed over, and takes "
			 "nothing new in this boot: see the kernel log, and reboot";
		break;
	case EACCES:
	case EPERM:
		info->luo_unseen = true;
		reason = "/dev/liveupdate may not be opened: run khod as root";
		break;
	default:
		reason = "/dev/liveupdate does not open: see the kernel log";
	}
	info->luo_reason = strdup(reason);
	return info->luo_reason ? 0 : -ENOMEM;
}

static int probe_metadata(int root_fd, struct kernel_info *info)
{
	struct kernel_metadata metadata;
	_cleanup_free_ char *blob = NULL;
	size_t size;
	int r = read_file_at(root_fd, DEBUGFS_KHO "/in/sub_fdts/kexec-metadata", 65536, &blob,
			     &size);

	if (r == -ENOMEM)
		return r;
	if (r < 0 || kernel_metadata_parse(blob, size, &metadata) < 0)
		return 0;
	info->has_metadata = true;
	info->kexec_count = metadata.kexec_count;
	memcpy(info->previous_release, metadata.previous_release,
	       sizeof(metadata.previous_release));
	return 0;
}

static uint64_t usec(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static int kexec_loaded_at(int root_fd)
{
	char line[8];
	int r = read_line_at(root_fd, "sys/kernel/kexec_loaded", line, sizeof(line));

	return r < 0 ? r : line[0] == '1';
}

int kernel_probe_at(int root_fd, struct kernel_info *ret)
{
	struct kernel_info info = {.generation = KHO_UNKNOWN};
	int r = read_line_at(root_fd, "proc/sys/kernel/osrelease", info.release,
			     sizeof(info.release));

	if (r == 0)
		r = read_line_at(root_fd, "proc/sys/kernel/random/boot_id", info.boot_id,
				 sizeof(info.boot_id));
	if (r < 0)
		return r;
	info.generation = kernel_generation_at(root_fd);
	info.debugfs_problem = kernel_debugfs_problem(root_fd);
	/* A kernel without kexec has no such file. */
	info.kexec_loaded = kexec_loaded_at(root_fd) > 0;
	info.start_usec = usec(CLOCK_REALTIME) - usec(CLOCK_BOOTTIME);
	r = probe_metadata(root_fd, &info);
	if (r == 0)
		r = probe_luo(root_fd, &info);
	if (r < 0) {
		kernel_info_done(&info);
		return r;
	}
	*ret = info;
	return 0;
}

int kernel_probe(struct kernel_info *ret)
{
	_cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return root < 0 ? -errno : kernel_probe_at(root, ret);
}

void kernel_info_done(struct kernel_info *info)
{
	free(info->luo_reason);
	*info = (struct kernel_info){};
}

int kernel_kexec_loaded(void)
{
	_cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return root < 0 ? -errno : kexec_loaded_at(root);
}
