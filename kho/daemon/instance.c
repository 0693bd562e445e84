/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "kho/core/cleanup.h"
#include "kho/core/paths.h"
#include "kho/daemon/instance.h"
#include "kho/daemon/log.h"

static int open_lock_file(const char *path)
{
	int fd;

	if (mkdir(runtime_dir(), 0755) < 0 && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? -errno : fd;
}

static int say_who(int fd, const char *path)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
		log_error("Another khod runs already, it has locked %s", path);
	else
		log_error("Another khod runs already, as process %d: stop it first", lock.l_pid);
	return -EBUSY;
}

int instance_lock(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	_cleanup_free_ char *path = runtime_path(KHO_LOCK_FILE);
	_cleanup_close_ int fd = -EBADF;

	if (!path)
		return -ENOMEM;
	fd = open_lock_file(path);
	if (fd < 0) {
		log_error("%s can't be opened: %s; khod has to be run by root", path,
			  strerror(-fd));
		return fd;
	}
	/* A record lock, as only this kind tells who has it. */
	if (fcntl(fd, F_SETLK, &lock) < 0)
		return say_who(fd, path);
	return TAKE_FD(fd);
}
