/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "kexec/initrd-kind.h"

static char path[] = "/tmp/test-initrd-kind-XXXXXX";

/* Adds an archive of one directory, a file of 5 bytes and the named one; compressed or not. */
static void add_archive(int fd, const char *name, int (*filter)(struct archive *))
{
	const char *const names[] = {"./usr", "kernel/x86/microcode", name};
	struct archive *a = archive_write_new();

	assert_int_equal(archive_write_set_format_cpio_newc(a), ARCHIVE_OK);
	assert_true(filter(a) >= ARCHIVE_WARN);
	assert_int_equal(archive_write_open_fd(a, fd), ARCHIVE_OK);
	for (size_t i = 0; i < 3; i++) {
		struct archive_entry *entry = archive_entry_new();

		archive_entry_set_pathname(entry, names[i]);
		archive_entry_set_mode(entry, i == 0 ? S_IFDIR | 0755 : S_IFREG | 0644);
		archive_entry_set_size(entry, i == 0 ? 0 : 5);
		assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
		if (i > 0)
			assert_int_equal(archive_write_data(a, "hello", 5), 5);
		archive_entry_free(entry);
	}
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	archive_write_free(a);
}

static int ask(void)
{
	char *message;
	int r = initrd_keeps_copies(path, &message);

	assert_int_equal(r < 0, message != NULL);
	if (message)
		assert_non_null(strstr(message, path));
	free(message);
	return r;
}

static int begin(void)
{
	int fd;

	strcpy(path + strlen(path) - 6, "XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	return fd;
}

static void end(int fd)
{
	close(fd);
	unlink(path);
}

static void test_names(void **state)
{
	static const struct {
		const char *name;
		int expected;
	} cases[] = {
		{"usr/lib/systemd/systemd", 0},
		{"./lib/systemd/systemd", 0},
		{"var/lib/dracut/hooks", 0},
		{"scripts/init-bottom/kho", 0},
		{"scripts/init-bottom/udev", -EOPNOTSUPP},
		{"usr/lib/systemd/systemd-udevd", -EOPNOTSUPP},
		{"bin/busybox", -EOPNOTSUPP},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int fd = begin();

		add_archive(fd, cases[i].name, archive_write_add_filter_none);
		assert_int_equal(ask(), cases[i].expected);
		end(fd);
		fd = begin();
		add_archive(fd, cases[i].name, archive_write_add_filter_gzip);
		assert_int_equal(ask(), cases[i].expected);
		end(fd);
	}
}

/* Microcode, padding, and then the rest, compressed: as distributions make them. */
static void test_several(void **state)
{
	int fd = begin();

	add_archive(fd, "early", archive_write_add_filter_none);
	assert_int_equal(ftruncate(fd, lseek(fd, 0, SEEK_END) + 1536), 0);
	assert_true(lseek(fd, 0, SEEK_END) > 0);
	assert_int_equal(ask(), -EOPNOTSUPP);
	add_archive(fd, "usr/lib/systemd/systemd", archive_write_add_filter_zstd);
	assert_int_equal(ask(), 0);
	end(fd);
}

static void test_hostile(void **state)
{
	static const char *const contents[] = {
		"not a cpio archive at all, but long enough to hold the header of one, if it were "
		"one; which it is not, whatever one says of it",
		/* A name that ends nowhere, sizes that are no numbers. */
		"0707010000000000000000000000000000000000000000000000000000000000000000000000000000"
		"000000000000FFFFFFFF00000000",
		"070701zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"
		"zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
	};

	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
		int fd = begin();

		assert_true(write(fd, contents[i], strlen(contents[i])) > 0);
		assert_true(ask() < 0);
		end(fd);
	}
	assert_int_equal(ask(), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
