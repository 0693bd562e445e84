/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "initrd/keep.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "initrd/tell.h"
#include "kho/core/cleanup.h"

static int make_directory(const char *root, const char *path, mode_t mode)
{
	char full[PATH_MAX];

	snprintf(full, sizeof(full), "%s%s", root, path);
	if (mkdir(full, mode) == 0 || errno == EEXIST)
		return 0;
	return -errno;
}

int keep_make_directory(const char *root)
{
	int r = make_directory(root, "/run", 0755);

	if (r >= 0)
		r = make_directory(root, "/run/kho", 0755);
	if (r >= 0)
		r = make_directory(root, KEEP_RUN, 0700);
	if (r < 0)
		tell("can't make %s%s: %s; what the previous kernel handed over is lost", root,
		     KEEP_RUN, strerror(-r));
	return r;
}

static int copy_bytes(int from, int to)
{
	for (;;) {
		ssize_t n = sendfile(to, from, NULL, 1 << 30);

		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

/* The original goes as soon as the copy is whole, and if it can't be. */
static int move_file(int from_dir, int to_dir, const char *name)
{
	_cleanup_close_ int from = openat(from_dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), to;
	int r;

	to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	r = from < 0 || to < 0 ? -errno : copy_bytes(from, to);
	if (r < 0 && to >= 0)
		(void)unlinkat(to_dir, name, 0);
	(void)unlinkat(from_dir, name, 0);
	return r;
}

int keep_move_files(const char *from, const char *to)
{
	_cleanup_close_ int from_dir = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
			    to_dir = open(to, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	int failed = 0;
	DIR *dir;

	if (from_dir < 0 || to_dir < 0)
		return -errno;
	dir = fdopendir(dup(from_dir));
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		int r;

		if (entry->d_name[0] == '.')
			continue;
		r = move_file(from_dir, to_dir, entry->d_name);
		if (r < 0) {
			tell("can't keep %s of what the previous kernel handed over: %s",
			     entry->d_name, strerror(-r));
			failed = r;
		}
	}
	closedir(dir);
	return failed;
}

/* One that takes whatever has fitted so far: /run itself is small on purpose. */
static int mount_memory(const char *path)
{
	if (mount("kho-handover", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  "mode=0700,size=100%,nr_inodes=0") == 0)
		return 0;
	tell("can't mount a tmpfs on %s: %s; what the previous kernel handed over is lost", path,
	     strerror(errno));
	return -errno;
}

int keep_move(const char *from, const char *to)
{
	int r;

	if (access(from, F_OK) < 0)
		return 0;
	r = keep_make_directory("");
	if (r >= 0)
		r = mount_memory(to);
	if (r >= 0)
		r = keep_move_files(from, to);
	/* Another hook may call this once more: then there is nothing left to do. */
	(void)rmdir(from);
	return r;
}
