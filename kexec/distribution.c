/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "kexec/distribution.h"
#include "kho/core/cleanup.h"

#define SYSTEM_FOLDERS "/usr/sbin:/sbin:/usr/bin:/bin"

/*
 * Another copy of the front end has another inode, and would send us back here for ever. Every copy
 * has these words in it, which the linker keeps since they are looked for.
 */
static const char front_end_mark[] = "kho-tools: this kexec is the front end, not kexec-tools'";

/* A script may call the front end again by its path: inside of one, scripts are passed over. */
#define INSIDE_SCRIPT "KHO_KEXEC_INSIDE_SCRIPT"

struct search {
	struct stat self;
	bool self_known;
	int error; /* of what was found and can't be executed; 0: nothing was */
};

static bool is_self(const struct search *search, const struct stat *st)
{
	return search->self_known && st->st_dev == search->self.st_dev &&
	       st->st_ino == search->self.st_ino;
}

/* Whether it is a script, and whether a front end: 0, or a negative errno if it can't be read. */
static int look_inside(const char *path, size_t size, bool *ret_script, bool *ret_front_end)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *content;

	if (fd < 0)
		return -errno;
	content = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (content == MAP_FAILED)
		return -errno;
	*ret_script = size >= 2 && memcmp(content, "#!", 2) == 0;
	*ret_front_end = memmem(content, size, front_end_mark, sizeof(front_end_mark));
	munmap(content, size);
	return 0;
}

/* Whether path is a kexec that is not this one. */
static bool is_other_kexec(const struct search *search, const char *path, bool *ret_script)
{
	bool front_end = false;
	struct stat st;

	*ret_script = false;
	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
		return false;
	if (is_self(search, &st) || access(path, X_OK) < 0)
		return false;
	/* What can be executed and not read is neither a script nor a front end of ours. */
	look_inside(path, st.st_size, ret_script, &front_end);
	return !front_end && !(*ret_script && getenv(INSIDE_SCRIPT));
}

/* Calls use for every kexec in folders (as in $PATH) until one returns other than 0. */
static int for_each_kexec(struct search *search, const char *folders,
			  int (*use)(struct search *search, const char *path, bool script,
				     void *userdata),
			  void *userdata)
{
	_cleanup_free_ char *copy = strdup(folders);
	char *rest = copy, *folder;

	if (!copy)
		return -ENOMEM;
	while ((folder = strsep(&rest, ":"))) {
		_cleanup_free_ char *path = NULL;
		bool script;
		int r;

		if (folder[0] != '/')
			continue; /* root's kexec is not whatever lies in the current folder */
		if (asprintf(&path, "%s/kexec", folder) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		if (!is_other_kexec(search, path, &script))
			continue;
		r = use(search, path, script, userdata);
		if (r != 0)
			return r;
	}
	return 0;
}

static int search_everywhere(struct search *search,
			     int (*use)(struct search *search, const char *path, bool script,
					void *userdata),
			     void *userdata)
{
	int r;

	search->self_known = stat("/proc/self/exe", &search->self) == 0;
	r = for_each_kexec(search, getenv("PATH") ?: "", use, userdata);
	if (r != 0)
		return r;
	return for_each_kexec(search, SYSTEM_FOLDERS, use, userdata);
}

static int become(struct search *search, const char *path, bool script, void *userdata)
{
	char **argv = userdata;

	if (script)
		setenv(INSIDE_SCRIPT, "1", true);
	execv(path, argv);
	search->error = errno;
	if (script)
		unsetenv(INSIDE_SCRIPT);
	return 0;
}

static void say_missing(void)
{
	fputs("kexec: there is no kexec of the distribution: install the package kexec-tools\n",
	      stderr);
}

int distribution_exec(char **argv)
{
	struct search search = {};

	search_everywhere(&search, become, argv);
	if (search.error) {
		fprintf(stderr, "kexec: can't execute the distribution's kexec: %s\n",
			strerror(search.error));
		return EXIT_CANNOT_EXECUTE;
	}
	say_missing();
	return EXIT_NOT_FOUND;
}

static int keep_path(struct search *search, const char *path, bool script, void *userdata)
{
	char **ret = userdata;

	*ret = strdup(path);
	return *ret ? 1 : -ENOMEM;
}

int distribution_find(char **ret)
{
	struct search search = {};
	int r;

	r = search_everywhere(&search, keep_path, ret);
	if (r < 0)
		return r;
	if (r == 0) {
		say_missing();
		return -ENOENT;
	}
	return 0;
}
