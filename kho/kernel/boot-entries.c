/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "kho/core/strv.h"
#include "kho/kernel/boot-entries.h"
#include "kho/kernel/file.h"

#define FROM_LOADER "/run/boot-loader-entries"
#define LOADER_CONF_MAX 65536
#define ENTRIES_MAX 1024

typedef int (*entry_read_fn)(int root_fd, const char *root, const char *name,
			     struct boot_entry *ret);

struct reading {
	int root_fd;
	struct boot_entries *to;
	/* Of each entry's file: the same may be mounted at several places. */
	struct seen {
		dev_t device;
		ino_t inode;
	} *seen;
};

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static int mark_seen(struct reading *reading, const struct stat *st)
{
	size_t n = reading->to->n_entries;
	struct seen *seen;

	seen = reallocarray(reading->seen, n + 1, sizeof(*seen));
	if (!seen)
		return -ENOMEM;
	reading->seen = seen;
	for (size_t i = 0; i < n; i++)
		if (seen[i].device == st->st_dev && seen[i].inode == st->st_ino)
			return 0;
	seen[n] = (struct seen){st->st_dev, st->st_ino};
	return 1;
}

static int add_entry(struct reading *reading, const char *root, const char *folder,
		     const char *name, entry_read_fn read)
{
	struct boot_entries *to = reading->to;
	struct boot_entry entry, *more;
	int r;

	more = reallocarray(to->entries, to->n_entries + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	to->entries = more;
	r = read(reading->root_fd, root, name, &entry);
	if (r >= 0) {
		to->entries[to->n_entries++] = entry;
		return 0;
	}
	boot_entry_done(&entry);
	if (r == -ENOMEM)
		return r;
	return strv_appendf(&to->warnings, "%s/%s/%s is no boot loader entry: %s", root, folder,
			    name,
			    r == -EINVAL || r == -EBADMSG ? "not of that kind" : strerror(-r));
}

static bool has_suffix(const char *name, const char *suffix)
{
	size_t length = strlen(name), n = strlen(suffix);

	return name[0] != '.' && length > n && strcasecmp(name + length - n, suffix) == 0;
}

static int read_folder(struct reading *reading, const char *root, const char *folder,
		       const char *suffix, entry_read_fn read)
{
	_cleanup_(closedirp) DIR *dir = NULL;
	_cleanup_close_ int fd = -EBADF;
	_cleanup_free_ char *path = NULL;
	struct dirent *d;
	int r = 0;

	if (asprintf(&path, "%s/%s", root, folder) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	fd = openat(reading->root_fd, path + 1, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return strv_appendf(&reading->to->warnings, "%s: %s", path, strerror(errno));
	while (r >= 0 && (d = readdir(dir)) && reading->to->n_entries < ENTRIES_MAX) {
		struct stat st;

		if (!has_suffix(d->d_name, suffix) ||
		    fstatat(fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
			continue;
		r = mark_seen(reading, &st);
		if (r > 0)
			r = add_entry(reading, root, folder, d->d_name, read);
	}
	TAKE_FD(fd); /* the directory's */
	return r;
}

static int set_pattern(char **pattern, const char *value)
{
	free(*pattern);
	*pattern = strdup(value);
	return *pattern ? 0 : -ENOMEM;
}

/* The first one that there is. */
static int read_loader_conf(struct reading *reading, const char *root)
{
	struct boot_entries *to = reading->to;
	_cleanup_free_ char *text = NULL, *path = NULL;
	char *rest, *line;
	struct stat st;
	int r;

	if (to->loader_conf)
		return 0;
	if (asprintf(&path, "%s/loader/loader.conf", root) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	if (fstatat(reading->root_fd, path + 1, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode))
		return 0;
	r = read_file_at(reading->root_fd, path + 1, LOADER_CONF_MAX, &text, NULL);
	if (r < 0)
		return r == -ENOMEM ? r : strv_appendf(&to->warnings, "%s: %s", path, strerror(-r));
	for (rest = text; r >= 0 && (line = strsep(&rest, "\r\n"));) {
		char *save, *key = strtok_r(line, " \t", &save), *value;

		value = key ? strtok_r(NULL, " \t", &save) : NULL;
		if (value && strcmp(key, "preferred") == 0)
			r = set_pattern(&to->preferred_pattern, value);
		else if (value && strcmp(key, "default") == 0)
			r = set_pattern(&to->default_pattern, value);
	}
	to->loader_conf = TAKE_PTR(path);
	return r;
}

static int read_root(struct reading *reading, const char *root)
{
	int r = read_loader_conf(reading, root);

	if (r >= 0)
		r = read_folder(reading, root, "loader/entries", ".conf", boot_entry_read);
	if (r >= 0)
		r = read_folder(reading, root, "EFI/Linux", ".efi", boot_entry_read_uki);
	return r;
}

int boot_entries_read(int root_fd, struct boot_entries *ret)
{
	static const char *const roots[] = {"/efi", "/boot", "/boot/efi"};
	struct reading reading = {.root_fd = root_fd, .to = ret};
	int r = 0;

	*ret = (struct boot_entries){};
	if (faccessat(root_fd, FROM_LOADER + 1, F_OK, 0) == 0)
		r = read_root(&reading, FROM_LOADER);
	else
		for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(roots); i++)
			r = read_root(&reading, roots[i]);
	free(reading.seen);
	if (r >= 0 && ret->n_entries > 0)
		qsort(ret->entries, ret->n_entries, sizeof(*ret->entries), boot_entry_compare);
	return r < 0 ? r : 0;
}

void boot_entries_done(struct boot_entries *entries)
{
	for (size_t i = 0; i < entries->n_entries; i++)
		boot_entry_done(&entries->entries[i]);
	free(entries->entries);
	free(entries->preferred_pattern);
	free(entries->default_pattern);
	free(entries->loader_conf);
	strv_free(entries->warnings);
	*entries = (struct boot_entries){};
}
