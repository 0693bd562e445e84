/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "kexec/archive-load.h"
#include "kexec/archive.h"

#define MIB (UINT64_C(1) << 20)

static const struct archive_load lab = {
	.generation = KHO_STATELESS,
	.release = "7.3.4-next",
	.init_size = 30 * MIB,
	.memory_total = 2048 * MIB,
};

static void test_by_segments(void **state)
{
	struct archive_load load = lab;

	assert_true(archive_load_by_segments(&load));
	load.locked_down = true;
	assert_false(archive_load_by_segments(&load));
	load = lab;
	load.in_place_too = true;
	assert_false(archive_load_by_segments(&load));
	load = lab;
	load.generation = KHO_OFF;
	assert_false(archive_load_by_segments(&load));
	load.generation = KHO_NONE;
	assert_false(archive_load_by_segments(&load));
}

static void assert_append(const struct archive_load *load, const char *expected)
{
	char *line = archive_load_append(load);

	assert_string_equal(line, expected);
	free(line);
}

static void test_append(void **state)
{
	struct archive_load load = lab;

	assert_append(&load, "rdinit=/kho/init kho_scratch=32M,125M,125M");
	load.append = "quiet -- single";
	assert_append(&load, "rdinit=/kho/init kho_scratch=32M,125M,125M quiet -- single");
	load.has_initrd = true;
	load.initrd_size = 20 * MIB;
	load.release = "7.4.0";
	assert_append(&load, " kho_bootmem=32M,165M,165M quiet -- single");
	/* Whoever knows better is not overruled. */
	load.reused = "kho=on kho_scratch=200%";
	assert_append(&load, " quiet -- single");
	load.has_initrd = false;
	assert_append(&load, "rdinit=/kho/init quiet -- single");
	load.reused = NULL;
	load.in_place_too = true;
	assert_append(&load, "rdinit=/kho/init quiet -- single");
}

static void test_root(void **state)
{
	struct archive_load load = lab;
	char *message = NULL;

	load.reused = "root=/dev/vda rw";
	assert_int_equal(archive_load_check_root(&load, &message), 0);
	load.append = "root=UUID=01-02";
	assert_int_equal(archive_load_check_root(&load, &message), -EOPNOTSUPP);
	assert_non_null(strstr(message, "root=UUID=01-02"));
	free(message);
	load.has_initrd = true;
	assert_int_equal(archive_load_check_root(&load, &message), 0);
}

static void test_clean(void **state)
{
	static const struct {
		const char *line, *expected;
	} cases[] = {
		{"rdinit=/kho/init root=/dev/vda rw", "root=/dev/vda rw"},
		{"root=/dev/vda rdinit=/kho/init rdinit=/kho/init rw", "root=/dev/vda rw"},
		{"root=/dev/vda rdinit=/kho/init", "root=/dev/vda "},
		{"rdinit=/kho/init quiet kexec_jump_back_entry=0x00007fe38609e000", "quiet "},
		{"root=/dev/vda rdinit=/init rw", NULL},
		{"root=/dev/vda -- rdinit=/kho/init", NULL},
		{"", NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *line = archive_load_clean(cases[i].line);

		if (cases[i].expected)
			assert_string_equal(line, cases[i].expected);
		else
			assert_null(line);
		free(line);
	}
}

/* Somebody who still can write keeps it from being loaded. */
static void test_freeze(void **state)
{
	int memory = memfd_create("archive", 0), fd;

	assert_int_equal(write(memory, "content", 7), 7);
	fd = archive_freeze(&memory);
	assert_true(fd >= 0);
	assert_int_equal(memory, -EBADF);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_segments), cmocka_unit_test(test_append),
		cmocka_unit_test(test_root),	    cmocka_unit_test(test_clean),
		cmocka_unit_test(test_freeze),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
