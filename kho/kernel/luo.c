/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/liveupdate.h"
#include "kho/kernel/luo.h"

#define BUSY_SLEEP_USEC 10000

/* Opens the device, which only one program at a time may have open, for as short as possible. */
static int device_open(void)
{
	const struct timespec pause = {.tv_nsec = BUSY_SLEEP_USEC * 1000L};

	for (uint64_t waited = 0;; waited += BUSY_SLEEP_USEC) {
		int fd = open(LUO_DEVICE, O_RDWR | O_CLOEXEC | O_NOCTTY);

		if (fd >= 0)
			return fd;
		if (errno == EINTR)
			continue;
		if (errno != EBUSY || waited >= LUO_BUSY_TIMEOUT_USEC)
			return -errno;
		nanosleep(&pause, NULL);
	}
}

static int name_copy(uint8_t dst[static LIVEUPDATE_SESSION_NAME_LENGTH], const char *name)
{
	size_t length = strlen(name);

	if (length == 0 || length > LUO_SESSION_NAME_MAX)
		return -EINVAL;
	memcpy(dst, name, length + 1);
	return 0;
}

static int session_create(int device, const char *name)
{
	struct liveupdate_ioctl_create_session arg = {.size = sizeof(arg), .fd = -1};
	int r = name_copy(arg.name, name);

	if (r < 0)
		return r;
	if (ioctl(device, LIVEUPDATE_IOCTL_CREATE_SESSION, &arg) < 0)
		return -errno;
	return arg.fd;
}

static int session_take(int device, const char *name)
{
	struct liveupdate_ioctl_retrieve_session arg = {.size = sizeof(arg), .fd = -1};
	int r = name_copy(arg.name, name);

	if (r < 0)
		return r;
	if (ioctl(device, LIVEUPDATE_IOCTL_RETRIEVE_SESSION, &arg) < 0)
		return -errno;
	return arg.fd;
}

/*
 * 7.3 makes room for one more session before it looks whether the name is taken, and leaves that
 * room behind if it is (kernel/liveupdate/luo_session.c, luo_session_insert). An empty block stops
 * the next kernel from booting. A session that comes and goes takes the block with it.
 */
static void drop_empty_block(int device)
{
	char name[LUO_SESSION_NAME_MAX + 1];
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return;
	snprintf(name, sizeof(name), "kho-throwaway-%016" PRIx64, number);
	safe_close(session_create(device, name));
}

int luo_create_sessions(const char *const *names, size_t n, int *ret_fds)
{
	_cleanup_close_ int device = device_open();

	if (device < 0)
		return device;

	for (size_t i = 0; i < n; i++) {
		ret_fds[i] = session_create(device, names[i]);
		if (ret_fds[i] < 0) {
			int r = ret_fds[i];

			while (i-- > 0)
				ret_fds[i] = safe_close(ret_fds[i]);
			if (r == -EEXIST)
				drop_empty_block(device);
			return r;
		}
	}
	return 0;
}

int luo_create_session(const char *name)
{
	int fd, r = luo_create_sessions(&name, 1, &fd);

	return r < 0 ? r : fd;
}

int luo_retrieve_sessions(const char *const *names, size_t n, int *ret_fds)
{
	_cleanup_close_ int device = device_open();
	int taken = 0;

	if (device < 0)
		return device;

	for (size_t i = 0; i < n; i++) {
		ret_fds[i] = session_take(device, names[i]);
		taken += ret_fds[i] >= 0;
	}
	return taken;
}

int luo_retrieve_session(const char *name)
{
	int fd, r = luo_retrieve_sessions(&name, 1, &fd);

	return r < 0 ? r : fd;
}

int luo_session_preserve(int session, int fd, uint64_t token)
{
	struct liveupdate_session_preserve_fd arg = {
		.size = sizeof(arg),
		.fd = fd,
		.token = token,
	};

	return ioctl(session, LIVEUPDATE_SESSION_PRESERVE_FD, &arg) < 0 ? -errno : 0;
}

int luo_session_retrieve(int session, uint64_t token)
{
	struct liveupdate_session_retrieve_fd arg = {
		.size = sizeof(arg),
		.fd = -1,
		.token = token,
	};

	return ioctl(session, LIVEUPDATE_SESSION_RETRIEVE_FD, &arg) < 0 ? -errno : arg.fd;
}

int luo_session_finish(int session)
{
	struct liveupdate_session_finish arg = {.size = sizeof(arg)};

	return ioctl(session, LIVEUPDATE_SESSION_FINISH, &arg) < 0 ? -errno : 0;
}

/*
 * A preserved file refuses every fallocate(2) with EPERM before anything else is looked at
 * (mm/shmem.c, shmem_fallocate, SHMEM_F_MAPPING_FROZEN). To punch a hole where no file reaches
 * changes nothing if it is not refused; a seal against writing refuses it too, and then allocating
 * what is there already tells.
 */
int luo_is_preserved(int fd)
{
	const off_t nowhere = INT64_MAX & ~(off_t)0xffff;
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;
	int mode = FALLOC_FL_KEEP_SIZE;
	off_t offset = 0, length = 1;

	if (seals < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!(seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))) {
		mode |= FALLOC_FL_PUNCH_HOLE;
		offset = nowhere - 0x10000;
		length = 0x10000;
	} else if (st.st_size == 0 && (seals & F_SEAL_GROW)) {
		return -ENODATA;
	}
	if (fallocate(fd, mode, offset, length) == 0)
		return 0;
	return errno == EPERM ? 1 : -errno;
}
