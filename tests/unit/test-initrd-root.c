/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
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

#include "initrd/device.h"
#include "initrd/keep.h"
#include "initrd/root-spec.h"

static void assert_text(const char *text, const char *expected)
{
	if (expected)
		assert_string_equal(text, expected);
	else
		assert_null(text);
}

static void test_parse(void **state)
{
	static const struct {
		const char *cmdline, *root, *types, *options, *init;
		bool writable, wait;
		unsigned int delay_s;
		enum root_kind kind;
	} cases[] = {
		{"console=ttyS0 root=/dev/vda rw", "/dev/vda", NULL, NULL, NULL, true, false, 0,
		 ROOT_PATH},
		{"root=/dev/sda1 root=PARTUUID=1234-01 rootwait rw ro rootfstype=ext4,xfs "
		 "rootflags=subvol=@,noatime init=/usr/lib/systemd/systemd rootdelay=3",
		 "PARTUUID=1234-01", "ext4,xfs", "subvol=@,noatime", "/usr/lib/systemd/systemd",
		 false, true, 3, ROOT_PARTUUID},
		{"root=PARTLABEL=root -- root=/dev/other", "PARTLABEL=root", NULL, NULL, NULL,
		 false, false, 0, ROOT_PARTLABEL},
		{"root=8:1", "8:1", NULL, NULL, NULL, false, false, 0, ROOT_NUMBER},
		{"root=0801", "0801", NULL, NULL, NULL, false, false, 0, ROOT_NUMBER},
		{"root=myfs rootfstype=virtiofs rw", "myfs", "virtiofs", NULL, NULL, true, false, 0,
		 ROOT_NO_DEVICE},
		{"root=/dev/nfs nfsroot=10.0.0.1:/srv", "/dev/nfs", NULL, NULL, NULL, false, false,
		 0, ROOT_UNSUPPORTED},
		{"root=UUID=0123-4567", "UUID=0123-4567", NULL, NULL, NULL, false, false, 0,
		 ROOT_UNSUPPORTED},
		{"root=mtd3", "mtd3", NULL, NULL, NULL, false, false, 0, ROOT_UNSUPPORTED},
		{"quiet", NULL, NULL, NULL, NULL, false, false, 0, ROOT_UNSUPPORTED},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct root_spec spec;

		assert_int_equal(root_spec_parse(cases[i].cmdline, &spec), 0);
		assert_text(spec.root, cases[i].root);
		assert_text(spec.types, cases[i].types);
		assert_text(spec.options, cases[i].options);
		assert_text(spec.init, cases[i].init);
		assert_int_equal(spec.writable, cases[i].writable);
		assert_int_equal(spec.wait, cases[i].wait);
		assert_int_equal(spec.delay_s, cases[i].delay_s);
		assert_int_equal(root_spec_kind(&spec), cases[i].kind);
		root_spec_done(&spec);
	}
}

static void test_number(void **state)
{
	unsigned int major, minor;

	assert_true(root_spec_number("253:17", &major, &minor));
	assert_int_equal(major, 253);
	assert_int_equal(minor, 17);
	assert_true(root_spec_number("0xfe01", &major, &minor));
	assert_int_equal(major, 0xfe);
	assert_int_equal(minor, 1);
	assert_false(root_spec_number("253:17x", &major, &minor));
	assert_false(root_spec_number("sda1", &major, &minor));
	assert_false(root_spec_number("", &major, &minor));
}

static void test_uevent(void **state)
{
	static const char uevent[] = "MAJOR=254\nMINOR=1\nDEVNAME=vda1\nDEVTYPE=partition\n"
				     "PARTN=1\nPARTNAME=root\nPARTUUID=ABCD-01\n";

	assert_true(device_uevent_has(uevent, "PARTNAME", "root"));
	assert_true(device_uevent_has(uevent, "PARTUUID", "abcd-01"));
	assert_false(device_uevent_has(uevent, "PARTUUID", "abcd-0"));
	assert_false(device_uevent_has(uevent, "PARTUUID", "abcd-011"));
	assert_false(device_uevent_has(uevent, "PART", "root"));
	assert_false(device_uevent_has("", "PARTNAME", "root"));
}

static void write_file(const char *directory, const char *name, size_t size)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	f = fopen(path, "w");
	for (size_t i = 0; i < size; i++)
		fputc((int)(i % 251), f);
	fclose(f);
}

static void assert_file(const char *directory, const char *name, size_t size)
{
	char path[256];
	struct stat st;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	f = fopen(path, "r");
	assert_non_null(f);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(fgetc(f), (int)(i % 251));
	assert_int_equal(fgetc(f), EOF);
	assert_int_equal(fstat(fileno(f), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	fclose(f);
	assert_int_equal(unlink(path), 0);
}

static void test_move(void **state)
{
	char from[] = "/tmp/test-keep-from-XXXXXX", to[] = "/tmp/test-keep-to-XXXXXX";

	assert_non_null(mkdtemp(from));
	assert_non_null(mkdtemp(to));
	write_file(from, "update", 16);
	write_file(from, "empty", 0);
	write_file(from, "1.0", 3000000);
	assert_int_equal(keep_move_files(from, to), 0);
	/* Nothing is left where it came from. */
	assert_int_equal(rmdir(from), 0);
	assert_file(to, "update", 16);
	assert_file(to, "empty", 0);
	assert_file(to, "1.0", 3000000);
	assert_int_equal(rmdir(to), 0);
	assert_true(keep_move_files(from, to) < 0);
	/* A machine that nothing was handed to. */
	assert_int_equal(keep_move(from, to), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_uevent),
		cmocka_unit_test(test_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
