/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kexec/archive.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <time.h>

#include "kho/core/cleanup.h"
#include "kho/transport/initrd-archive.h"

#define WRITERS_USEC (10 * UINT64_C(1000000))
#define PAUSE_USEC UINT64_C(1000)

/* What an initrd is told to run, so that it need not be made anew for it. */
static const struct member {
	const char *file;   /* where it is installed */
	const char *path;   /* where it goes */
	const char *target; /* of a link; NULL: it is none */
	mode_t mode;
} members[] = {
	{KHOEXECDIR "/kho-keep.service", "usr/lib/systemd/system/kho-keep.service", NULL, 0644},
	{NULL, "usr/lib/systemd/system/initrd.target.wants/kho-keep.service", "../kho-keep.service",
	 0},
	{KHOEXECDIR "/kho-keep.sh", "usr/lib/dracut/hooks/pre-pivot/99-kho-keep.sh", NULL, 0755},
	{KHOEXECDIR "/kho-keep.sh", "var/lib/dracut/hooks/pre-pivot/99-kho-keep.sh", NULL, 0755},
};

static const char *const directories[] = {
	"usr",
	"usr/lib",
	"usr/lib/systemd",
	"usr/lib/systemd/system",
	"usr/lib/systemd/system/initrd.target.wants",
	"usr/lib/dracut",
	"usr/lib/dracut/hooks",
	"usr/lib/dracut/hooks/pre-pivot",
	"var",
	"var/lib",
	"var/lib/dracut",
	"var/lib/dracut/hooks",
	"var/lib/dracut/hooks/pre-pivot",
};

static int complain_of(char **ret_message, int error, const char *what)
{
	if (asprintf(ret_message, "%s: %s", what, strerror(-error)) < 0)
		*ret_message = NULL;
	return error;
}

static int add_file(struct initrd_archive *archive, const char *file, const char *path, mode_t mode,
		    char **ret_message)
{
	_cleanup_close_ int fd = open(file, O_RDONLY | O_CLOEXEC);
	struct iovec part;
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return complain_of(ret_message, -errno, file);
	part.iov_len = (size_t)st.st_size;
	part.iov_base = mmap(NULL, part.iov_len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (part.iov_base == MAP_FAILED)
		return complain_of(ret_message, -errno, file);
	r = initrd_archive_add(archive, path, mode, &part, 1);
	munmap(part.iov_base, part.iov_len);
	return r < 0 ? complain_of(ret_message, r, "writing the archive") : 0;
}

static int add_hooks(struct initrd_archive *archive, char **ret_message)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(directories); i++)
		r = initrd_archive_add_directory(archive, directories[i], 0755);
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(members); i++) {
		const struct member *m = &members[i];

		if (m->target)
			r = initrd_archive_add_link(archive, m->path, m->target);
		else
			r = add_file(archive, m->file, m->path, m->mode, ret_message);
	}
	return r < 0 && !*ret_message ? complain_of(ret_message, r, "writing the archive") : r;
}

/* At a multiple of four, where alone the kernel looks for one that is not compressed. */
static int append_initrd(int memory, const char *path, char **ret_message)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct initrd_archive end;
	int r = initrd_archive_begin(&end, memory);

	if (r < 0)
		return complain_of(ret_message, r, "writing the archive");
	if (fd < 0)
		return complain_of(ret_message, -errno, path);
	if (lseek(memory, (off_t)end.end, SEEK_SET) < 0)
		return complain_of(ret_message, -errno, "writing the archive");
	for (;;) {
		ssize_t n = sendfile(memory, fd, NULL, 1 << 30);

		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return complain_of(ret_message, -errno, path);
	}
}

int archive_check_installed(char **ret_message)
{
	static const char *const files[] = {KHOEXECDIR "/kho-init", KHOEXECDIR "/kho-keep.service",
					    KHOEXECDIR "/kho-keep.sh"};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (access(files[i], R_OK) < 0)
			return complain_of(ret_message, -errno, files[i]);
	return 0;
}

int archive_complete(int memory, const char *initrd, char **ret_message)
{
	struct initrd_archive archive;
	int r = initrd_archive_begin(&archive, memory);

	*ret_message = NULL;
	if (r >= 0)
		r = initrd_archive_add_directory(&archive, "kho", 0700);
	if (r >= 0)
		r = add_file(&archive, KHOEXECDIR "/kho-init", &ARCHIVE_INIT[1], 0700, ret_message);
	if (r >= 0 && initrd)
		r = add_hooks(&archive, ret_message);
	if (r >= 0)
		r = initrd_archive_end(&archive);
	if (r < 0)
		return *ret_message ? r : complain_of(ret_message, r, "writing the archive");
	return initrd ? append_initrd(memory, initrd, ret_message) : 0;
}

/* A lease for reading is given where nobody can write (fs/locks.c). */
static bool has_writers(int fd)
{
	if (fcntl(fd, F_SETLEASE, F_RDLCK) < 0)
		return errno == EAGAIN;
	(void)fcntl(fd, F_SETLEASE, F_UNLCK);
	return false;
}

int archive_freeze(int *memory)
{
	const struct timespec pause = {.tv_nsec = PAUSE_USEC * 1000};
	_cleanup_close_ int fd = -EBADF;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", *memory);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return -errno;
	*memory = safe_close(*memory);
	for (uint64_t waited = 0; has_writers(fd); waited += PAUSE_USEC) {
		if (waited >= WRITERS_USEC)
			return -ETXTBSY;
		nanosleep(&pause, NULL);
	}
	return TAKE_FD(fd);
}
