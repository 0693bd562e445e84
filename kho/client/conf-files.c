/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "kho/client/conf-file.h"
#include "kho/core/cleanup.h"
#include "kho/core/strv.h"

/* Those of higher rank first. */
static const char *const folders[] = {"/etc/kho", "/run/kho", "/usr/local/lib/kho", "/usr/lib/kho"};

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static int fail(char **ret_message, int error, const char *path, const char *what)
{
	if (asprintf(ret_message, "%s: %s", path, what) >= 0)
		return error;
	*ret_message = NULL;
	return -ENOMEM;
}

/* 1; 0: it masks, or hides behind something that is no file; or a negative errno. */
static int is_filled_file(int root_fd, const char *path)
{
	struct stat st;

	if (fstatat(root_fd, path + 1, &st, 0) < 0)
		return -errno;
	if (S_ISCHR(st.st_mode) || (S_ISREG(st.st_mode) && st.st_size == 0))
		return 0;
	return S_ISREG(st.st_mode) ? 1 : -EINVAL;
}

/* The first of that name, which may have a folder in it. */
static int find_first(int root_fd, const char *name, char ***files, char **ret_message)
{
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		_cleanup_free_ char *path = NULL;
		int r;

		if (asprintf(&path, "%s/%s", folders[i], name) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		r = is_filled_file(root_fd, path);
		if (r == -ENOENT || r == -ENOTDIR)
			continue;
		if (r < 0)
			return fail(ret_message, r, path,
				    r == -EINVAL ? "is not a regular file" : strerror(-r));
		return r > 0 ? strv_consume(files, TAKE_PTR(path)) : 0;
	}
	return 0;
}

static bool is_drop_in(const char *name)
{
	size_t length = strlen(name);

	return name[0] != '.' && length > 5 && strcmp(name + length - 5, ".conf") == 0;
}

static bool contains(char *const *strv, const char *string)
{
	for (; strv && *strv; strv++)
		if (strcmp(*strv, string) == 0)
			return true;
	return false;
}

/* The names alone, each once. */
static int list_drop_ins(int root_fd, const char *folder, char ***names, char **ret_message)
{
	_cleanup_(closedirp) DIR *dir = NULL;
	_cleanup_close_ int fd = openat(root_fd, folder + 1, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	int r;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return fail(ret_message, -errno, folder, strerror(errno));
	TAKE_FD(fd);
	while ((errno = 0, entry = readdir(dir))) {
		if (!is_drop_in(entry->d_name) || contains(*names, entry->d_name))
			continue;
		r = strv_append(names, entry->d_name);
		if (r < 0)
			return r;
	}
	return errno ? fail(ret_message, -errno, folder, strerror(errno)) : 0;
}

int conf_files_find(int root_fd, const char *name, char ***ret, char **ret_message)
{
	_cleanup_strv_ char **files = NULL, **names = NULL;
	int r;

	*ret_message = NULL;
	r = find_first(root_fd, name, &files, ret_message);
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(folders); i++) {
		_cleanup_free_ char *folder = NULL;

		if (asprintf(&folder, "%s/%s.d", folders[i], name) < 0) {
			folder = NULL;
			return -ENOMEM;
		}
		r = list_drop_ins(root_fd, folder, &names, ret_message);
	}
	strv_sort(names);
	for (char **drop_in = names; r >= 0 && drop_in && *drop_in; drop_in++) {
		_cleanup_free_ char *path = NULL;

		if (asprintf(&path, "%s.d/%s", name, *drop_in) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		r = find_first(root_fd, path, &files, ret_message);
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(files);
	return 0;
}
