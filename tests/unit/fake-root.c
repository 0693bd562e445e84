/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "kho/core/cleanup.h"
#include "tests/unit/fake-root.h"

int fake_root_open(void)
{
	char path[] = "/tmp/kho-test-XXXXXX";
	int fd;

	assert_non_null(mkdtemp(path));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

void fake_blob(int root_fd, const char *path, const void *content, size_t size)
{
	char parent[PATH_MAX];
	int fd;

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
		assert_true(mkdirat(root_fd, parent, 0700) == 0 || errno == EEXIST);
	}
	fd = openat(root_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, size), size);
	safe_close(fd);
}

void fake_file(int root_fd, const char *path, const char *content)
{
	fake_blob(root_fd, path, content, strlen(content));
}

void fake_remove(int root_fd, const char *path)
{
	assert_int_equal(unlinkat(root_fd, path, 0), 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

void fake_root_close(int root_fd)
{
	char link[64], path[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", root_fd);
	n = readlink(link, path, sizeof(path) - 1);
	assert_true(n > 0);
	path[n] = '\0';
	assert_int_equal(strncmp(path, "/tmp/kho-test-", 14), 0);
	assert_int_equal(nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
	safe_close(root_fd);
}
