/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "initrd/switch.h"

#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "initrd/device.h"
#include "initrd/tell.h"
#include "kho/core/cleanup.h"

#define NODE "/kho/root-device"
/* Without rootwait the kernel waits for the drivers that are probing, which nothing shows here. */
#define PATIENCE_S 10
#define RETRIES_PER_S 20

static void pause_once(void)
{
	const struct timespec time = {.tv_nsec = 1000000000 / RETRIES_PER_S};

	nanosleep(&time, NULL);
}

static int await_device(const struct root_spec *spec, char path[static DEVICE_PATH_MAX])
{
	int r = device_find(spec, NODE, path);

	for (unsigned int i = 0; r == -ENODEV && (spec->wait || i < PATIENCE_S * RETRIES_PER_S);
	     i++) {
		pause_once();
		r = device_find(spec, NODE, path);
	}
	return r;
}

/* As init/do_mounts.c, do_mount_root and mount_root_generic: what can't be written is read-only. */
static int mount_as(const struct root_spec *spec, const char *source, const char *type,
		    const char *path)
{
	unsigned long flags = MS_SILENT | (spec->writable ? 0 : MS_RDONLY);

	if (mount(source, path, type, flags, spec->options) == 0)
		return 0;
	if ((errno == EACCES || errno == EROFS) && !(flags & MS_RDONLY) &&
	    mount(source, path, type, flags | MS_RDONLY, spec->options) == 0)
		return 0;
	return -errno;
}

/* Every type of the list, until one knows what is there. */
static int mount_any(const struct root_spec *spec, const char *source, char *types,
		     const char *separators, const char *path)
{
	char *save = NULL;
	int r = -ENODEV;

	for (char *type = strtok_r(types, separators, &save); type;
	     type = strtok_r(NULL, separators, &save)) {
		/* /proc/filesystems: those that need no device come with a word before them. */
		if (strcmp(type, "nodev") == 0) {
			(void)strtok_r(NULL, separators, &save);
			continue;
		}
		r = mount_as(spec, source, type, path);
		if (r != -EINVAL && r != -ENODEV)
			break;
	}
	return r;
}

static int mount_known(const struct root_spec *spec, const char *source, const char *path)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/filesystems", "re");
	char types[8192];
	size_t n = f ? fread(types, 1, sizeof(types) - 1, f) : 0;

	types[n] = '\0';
	return mount_any(spec, source, types, "\t\n", path);
}

static int mount_listed(const struct root_spec *spec, const char *source, const char *path)
{
	_cleanup_free_ char *types = strdup(spec->types);

	return types ? mount_any(spec, source, types, ",", path) : -ENOMEM;
}

int switch_mount(const struct root_spec *spec, const char *path)
{
	char source[DEVICE_PATH_MAX];
	int r = 0;

	for (unsigned int i = 0; i < spec->delay_s * RETRIES_PER_S; i++)
		pause_once();
	if (root_spec_kind(spec) == ROOT_NO_DEVICE)
		snprintf(source, sizeof(source), "%s", spec->root);
	else
		r = await_device(spec, source);
	if (r >= 0)
		r = spec->types ? mount_listed(spec, source, path)
				: mount_known(spec, source, path);
	if (r < 0)
		tell("can't mount root=%s: %s", spec->root ? spec->root : "", strerror(-r));
	return r;
}

static void bring_along(const char *root, const char *path)
{
	char target[256];

	snprintf(target, sizeof(target), "%s%s", root, path);
	if (mount(path, target, NULL, MS_MOVE, NULL) < 0)
		(void)umount2(path, MNT_DETACH);
}

/* Older kernels can't pivot away from the first root (fs/namespace.c): the new one goes over it. */
static int change_root(void)
{
	if (syscall(SYS_pivot_root, ".", ".") == 0) {
		(void)umount2(".", MNT_DETACH);
		return 0;
	}
	if (mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0)
		return -errno;
	return 0;
}

int switch_root(const char *path)
{
	int r;

	bring_along(path, "/dev");
	bring_along(path, "/proc");
	bring_along(path, "/sys");
	r = chdir(path) < 0 ? -errno : change_root();
	if (r >= 0 && chdir("/") < 0)
		r = -errno;
	if (r < 0)
		tell("can't change to the root file system: %s", strerror(-r));
	return r;
}
