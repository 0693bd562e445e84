/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/transport/spool-directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "kho/core/cleanup.h"
#include "kho/transport/spool.h"

#define TREE_SIZE_MAX ((size_t)16 << 20)

static DIR *close_dir(DIR *dir)
{
	closedir(dir);
	return NULL;
}
DEFINE_CLEANUP_FUNC(DIR *, close_dir)

static int open_spool(const char *where)
{
	int fd = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int make_name(char buf[static NAME_MAX + 1], const char *update_id)
{
	if (!*update_id || strlen(update_id) >= SPOOL_UPDATE_MAX || strchr(update_id, '/'))
		return -EINVAL;
	snprintf(buf, NAME_MAX + 1, SPOOL_PREFIX "%s", update_id);
	return 0;
}

/* What others could have put there is not what was left there. */
static int open_private(int spool, const char *name)
{
	_cleanup_close_ int fd =
		openat(spool, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != geteuid() || st.st_mode & 077)
		return -EPERM;
	return TAKE_FD(fd);
}

int spool_hold(const char *where)
{
	if (mkdir(where, 0700) < 0 && errno != EEXIST)
		return -errno;
	return open_spool(where);
}

int spool_directory_make(const char *where, const char *update_id)
{
	_cleanup_close_ int spool = -EBADF;
	char name[NAME_MAX + 1];
	int r = make_name(name, update_id);

	if (r < 0)
		return r;
	spool = spool_hold(where);
	if (spool < 0)
		return spool;
	if (mkdirat(spool, name, 0700) < 0)
		return -errno;
	return open_private(spool, name);
}

int spool_directory_open(const char *where, const char *update_id)
{
	_cleanup_close_ int spool = open_spool(where);
	char name[NAME_MAX + 1];
	int r = spool < 0 ? spool : make_name(name, update_id);

	return r < 0 ? r : open_private(spool, name);
}

static int write_synced(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		size -= n;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

int spool_directory_write(int dir, const char *name, const void *data, size_t size)
{
	_cleanup_close_ int fd = -EBADF;
	_cleanup_free_ char *incomplete = NULL;
	int r;

	if (asprintf(&incomplete, "%s.new", name) < 0)
		return -ENOMEM;
	fd = openat(dir, incomplete, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = write_synced(fd, data, size);
	if (r < 0)
		return r;
	if (renameat(dir, incomplete, dir, name) < 0 || fsync(dir) < 0)
		return -errno;
	return 0;
}

int spool_directory_sync(const char *where)
{
	_cleanup_close_ int spool = open_spool(where);

	if (spool < 0)
		return spool;
	return fsync(spool) < 0 ? -errno : 0;
}

static int remove_files(int dir)
{
	int copy = fcntl(dir, F_DUPFD_CLOEXEC, 3);
	_cleanup_(close_dirp) DIR *files = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *file;
	int r = 0;

	if (!files) {
		safe_close(copy);
		return -errno;
	}
	while ((file = readdir(files)))
		if (strcmp(file->d_name, ".") && strcmp(file->d_name, "..") &&
		    unlinkat(dir, file->d_name, 0) < 0 && errno != ENOENT)
			r = -errno;
	return r;
}

int spool_discard(const char *where, const char *update_id)
{
	_cleanup_close_ int spool = open_spool(where), dir = -EBADF;
	char name[NAME_MAX + 1];
	int r = spool < 0 ? spool : make_name(name, update_id);

	if (r >= 0)
		r = dir = open_private(spool, name);
	if (r == -ENOENT)
		return 0;
	if (r >= 0)
		r = remove_files(dir);
	if (r >= 0 && unlinkat(spool, name, AT_REMOVEDIR) < 0)
		r = -errno;
	return r >= 0 && fsync(spool) < 0 ? -errno : r;
}

static void add_file(int dir, const char *name, struct spool_entry *entry)
{
	struct stat st;

	if (*name == '.' || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	entry->bytes += (uint64_t)st.st_blocks * 512;
	if (!strcmp(name, SPOOL_TREE))
		entry->complete = true;
	else
		entry->n_files += *name == 'r';
}

static int read_entry(int spool, const char *name, struct spool_entry *ret)
{
	int fd = open_private(spool, name);
	_cleanup_(close_dirp) DIR *files = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *file;
	struct stat st;

	if (!files) {
		safe_close(fd);
		return fd < 0 ? fd : -errno;
	}
	*ret = (struct spool_entry){};
	snprintf(ret->update_id, sizeof(ret->update_id), "%s", name + strlen(SPOOL_PREFIX));
	if (fstat(fd, &st) == 0)
		ret->time_usec = (int64_t)st.st_mtim.tv_sec * 1000000 + st.st_mtim.tv_nsec / 1000;
	while ((file = readdir(files)))
		add_file(fd, file->d_name, ret);
	return 0;
}

static bool is_entry(const char *name)
{
	return !strncmp(name, SPOOL_PREFIX, strlen(SPOOL_PREFIX)) &&
	       strlen(name) - strlen(SPOOL_PREFIX) < SPOOL_UPDATE_MAX;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct spool_entry *)a)->update_id,
		      ((const struct spool_entry *)b)->update_id);
}

int spool_list(const char *where, struct spool_entry **ret, size_t *ret_n)
{
	_cleanup_free_ struct spool_entry *entries = NULL;
	_cleanup_(close_dirp) DIR *spool = opendir(where);
	struct dirent *file;
	size_t n = 0;

	*ret = NULL;
	*ret_n = 0;
	if (!spool)
		return errno == ENOENT ? 0 : -errno;
	while ((file = readdir(spool))) {
		struct spool_entry *more;

		if (!is_entry(file->d_name))
			continue;
		more = reallocarray(entries, n + 1, sizeof(*entries));
		if (!more)
			return -ENOMEM;
		entries = more;
		n += read_entry(dirfd(spool), file->d_name, &entries[n]) >= 0;
	}
	if (n > 0)
		qsort(entries, n, sizeof(*entries), by_id);
	*ret = TAKE_PTR(entries);
	*ret_n = n;
	return 0;
}

int spool_read_tree(const char *where, const char *update_id, void **ret, size_t *ret_size)
{
	_cleanup_close_ int dir = spool_directory_open(where, update_id), fd = -EBADF;
	_cleanup_free_ char *data = NULL;
	struct stat st;
	size_t have = 0;

	if (dir < 0)
		return dir;
	fd = openat(dir, SPOOL_TREE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > TREE_SIZE_MAX)
		return -EBADMSG;
	data = malloc(st.st_size + 1);
	if (!data)
		return -ENOMEM;
	while (have < (size_t)st.st_size) {
		ssize_t n = read(fd, data + have, st.st_size - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EBADMSG;
		have += n;
	}
	*ret = TAKE_PTR(data);
	*ret_size = have;
	return 0;
}
