/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "initrd/keep.h"
#include "initrd/switch.h"
#include "initrd/tell.h"
#include "kho/core/cleanup.h"

/*
 * The first program of a machine that boots without an initrd (rdinit=), and the helper of those
 * that have one: both keep what the previous kernel handed over beyond the change of root.
 */
#define NEW_ROOT "/kho/root"
#define SELF "/kho/init"
#define CMDLINE_MAX 65536

static void mount_early(const char *type, const char *path)
{
	(void)mkdir(path, 0755);
	(void)mount(type, path, type, MS_NOSUID | (strcmp(type, "devtmpfs") ? MS_NODEV : 0), NULL);
}

/*
 * Services managers take a /run that is mounted as it is. The files stay where they are: to remove
 * one frees its memory.
 */
static void keep_files(void)
{
	const char *run = NEW_ROOT "/run", *target = NEW_ROOT KEEP_RUN;

	if (access(KEEP_ARCHIVE, F_OK) < 0) {
		tell("there is no %s in the archive; what the previous kernel handed over is lost",
		     KEEP_ARCHIVE);
		return;
	}
	if (mount("tmpfs", run, "tmpfs", MS_NOSUID | MS_NODEV | MS_STRICTATIME,
		  "mode=0755,size=20%,nr_inodes=800k") < 0) {
		tell("can't mount a tmpfs on /run: %s; what the previous kernel handed over is "
		     "lost",
		     strerror(errno));
		return;
	}
	if (keep_make_directory(NEW_ROOT) >= 0 &&
	    mount(KEEP_ARCHIVE, target, NULL, MS_BIND, NULL) < 0)
		tell("can't bring %s along: %s; what the previous kernel handed over is lost",
		     KEEP_ARCHIVE, strerror(errno));
}

static char *read_cmdline(void)
{
	_cleanup_close_ int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *text = calloc(1, CMDLINE_MAX);

	if (fd < 0 || !text || read(fd, text, CMDLINE_MAX - 1) < 0)
		return NULL;
	return TAKE_PTR(text);
}

/* Those that the kernel tries (init/main.c, kernel_init). */
static void become_init(const struct root_spec *spec, char **argv)
{
	static const char *const usual[] = {"/sbin/init", "/etc/init", "/bin/init", "/bin/sh"};

	if (spec->init) {
		argv[0] = spec->init;
		execv(spec->init, argv);
		tell("can't execute init=%s: %s", spec->init, strerror(errno));
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(usual); i++) {
		argv[0] = (char *)usual[i];
		execv(usual[i], argv);
	}
	tell("there is no init on the root file system");
}

/* Comes back only if the machine can't be booted any further: the kernel panics then. */
static int boot(char **argv)
{
	_cleanup_free_ char *cmdline = NULL;
	struct root_spec spec;

	mount_early("proc", "/proc");
	mount_early("sysfs", "/sys");
	mount_early("devtmpfs", "/dev");
	(void)mkdir(NEW_ROOT, 0755);
	cmdline = read_cmdline();
	if (!cmdline || root_spec_parse(cmdline, &spec) < 0) {
		tell("can't read the kernel's command line");
		return 1;
	}
	if (switch_mount(&spec, NEW_ROOT) < 0)
		return 1;
	keep_files();
	(void)unlink(SELF);
	if (switch_root(NEW_ROOT) < 0)
		return 1;
	become_init(&spec, argv);
	return 1;
}

int main(int argc, char **argv)
{
	if (getpid() == 1)
		return boot(argv);
	if (argc == 2 && strcmp(argv[1], "keep") == 0)
		return keep_move(KEEP_ARCHIVE, KEEP_RUN) < 0;
	tell("usage: %s keep, in an initrd", argv[0]);
	return 1;
}
