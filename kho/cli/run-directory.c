/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "kho/cli/run-directory.h"
#include "kho/core/cleanup.h"

/* Caller frees. NULL: no place, or no memory. */
static char *parent_directory(void)
{
	const char *directory = secure_getenv("RUNTIME_DIRECTORY");

	/* A unit may have several, separated by colons. */
	if (directory && *directory)
		return strndup(directory, strcspn(directory, ":"));
	if (geteuid() == 0)
		return strdup("/run");
	directory = secure_getenv("XDG_RUNTIME_DIR");
	return directory && *directory ? strdup(directory) : NULL;
}

int run_directory_make(char **ret)
{
	_cleanup_free_ char *parent = parent_directory(), *directory = NULL;

	if (!parent)
		return -ENOENT;
	if (asprintf(&directory, "%s/kho-run-XXXXXX", parent) < 0) {
		directory = NULL;
		return -ENOMEM;
	}
	if (!mkdtemp(directory))
		return -errno;
	/* A command that drops root must still get through to its regions. */
	if (chmod(directory, 0711) < 0) {
		rmdir(directory);
		return -errno;
	}
	*ret = TAKE_PTR(directory);
	return 0;
}

int run_directory_link(const char *directory, const char *name, int fd, char **ret_path)
{
	char target[sizeof("/proc/self/fd/-2147483648")];
	_cleanup_free_ char *path = NULL;
	char *base;

	if (asprintf(&path, "%s/%s", directory, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	base = path + strlen(directory) + 1;
	for (char *p = base; *p; p++)
		if (*p == '/' || (p == base && *p == '.'))
			*p = '_';
	snprintf(target, sizeof(target), "/proc/self/fd/%d", fd);
	if (symlink(target, path) < 0)
		return -errno;
	*ret_path = TAKE_PTR(path);
	return 0;
}

void run_directory_remove(const char *directory)
{
	const struct dirent *entry;
	DIR *dir = directory ? opendir(directory) : NULL;

	if (!dir)
		return;
	while ((entry = readdir(dir)))
		unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	rmdir(directory);
}
