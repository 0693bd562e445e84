/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "kho/core/strv.h"
#include "kho/kernel/next-kernel.h"
#include "tests/unit/fake-root.h"
#include "tests/unit/image-sample.h"

#define CMDLINE "BOOT_IMAGE=/vmlinuz root=/dev/sda1 initrd=\\a\\b.img kho=on \"x y\" -- single\n"
#define EFIVAR(name) "sys/firmware/efi/efivars/" name "-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"

struct fixture {
	int root;
	struct blob kernel;
	struct next_kernel next;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	_cleanup_blob_ struct blob vmlinux = {};

	f->root = fake_root_open();
	sample_vmlinux(&vmlinux, 1);
	assert_int_equal(sample_bzimage(&f->kernel, &vmlinux, SAMPLE_PLAIN), 0);
	fake_file(f->root, "proc/cmdline", CMDLINE);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	next_kernel_done(&f->next);
	blob_done(&f->kernel);
	fake_root_close(f->root);
	free(f);
	return 0;
}

static void put_kernel(struct fixture *f, const char *path)
{
	fake_blob(f->root, path, f->kernel.data, f->kernel.size);
}

/* An entry with a kernel of its own, which is where the entry says. */
static void put_entry(struct fixture *f, const char *name, const char *more)
{
	_cleanup_free_ char *path = NULL, *text = NULL, *kernel = NULL;

	assert_true(asprintf(&path, "boot/loader/entries/%s", name) > 0);
	assert_true(asprintf(&kernel, "boot/%s/linux", name) > 0);
	assert_true(asprintf(&text, "# an entry\ntitle Some\nlinux /%s/linux\n%s\n", name, more) >
		    0);
	fake_file(f->root, path, text);
	put_kernel(f, kernel);
}

static void put_variable(struct fixture *f, const char *path, const char *value)
{
	uint8_t data[256] = {7};
	size_t n = strlen(value);

	for (size_t i = 0; i <= n; i++)
		data[4 + 2 * i] = (uint8_t)value[i];
	fake_blob(f->root, path, data, 4 + 2 * (n + 1));
}

static void choose(struct fixture *f, const struct next_kernel_wish *wish)
{
	static const struct next_kernel_wish nothing = {};
	_cleanup_free_ char *message = NULL;
	int r;

	next_kernel_done(&f->next);
	r = next_kernel_choose_at(f->root, wish ?: &nothing, &f->next, &message);
	if (message)
		print_message("%s\n", message);
	assert_int_equal(r, 0);
	assert_non_null(f->next.source);
}

static void expect_entry(struct fixture *f, const char *id, const char *why)
{
	choose(f, NULL);
	assert_non_null(f->next.entry);
	assert_string_equal(f->next.entry, id);
	assert_non_null(strstr(f->next.why, why));
}

static void expect_error(struct fixture *f, const struct next_kernel_wish *wish, int error,
			 const char *words)
{
	static const struct next_kernel_wish nothing = {};
	_cleanup_free_ char *message = NULL;

	next_kernel_done(&f->next);
	assert_int_equal(next_kernel_choose_at(f->root, wish ?: &nothing, &f->next, &message),
			 error);
	assert_non_null(message);
	if (!strstr(message, words))
		print_message("%s\n", message);
	assert_non_null(strstr(message, words));
	assert_null(strchr(message, '\n'));
}

static void test_nothing(void **state)
{
	expect_error(*state, NULL, -ENOENT, "nothing says which kernel comes next");
}

static void test_debian(void **state)
{
	struct fixture *f = *state;

	put_kernel(f, "boot/vmlinuz-1");
	fake_file(f->root, "boot/initrd.img-1", "initrd");
	assert_int_equal(symlinkat("boot/vmlinuz-1", f->root, "vmlinuz"), 0);
	assert_int_equal(symlinkat("boot/initrd.img-1", f->root, "initrd.img"), 0);
	choose(f, NULL);
	assert_string_equal(f->next.image, "/vmlinuz");
	assert_string_equal(f->next.release, SAMPLE_RELEASE);
	assert_int_equal(strv_length(f->next.initrds), 1);
	assert_string_equal(f->next.initrds[0], "/initrd.img");
	assert_string_equal(f->next.cmdline, "root=/dev/sda1 kho=on \"x y\" -- single");
	assert_null(f->next.entry);
	/* /boot goes first; and there, there is no initrd. */
	assert_int_equal(symlinkat("vmlinuz-1", f->root, "boot/vmlinuz"), 0);
	choose(f, NULL);
	assert_string_equal(f->next.image, "/boot/vmlinuz");
	assert_null(f->next.initrds);
	assert_int_equal(symlinkat("initrd.img-2", f->root, "boot/initrd.img"), 0);
	expect_error(f, NULL, -ENOENT, "/boot/initrd.img: No such file");
	fake_remove(f->root, "boot/vmlinuz-1");
	expect_error(f, NULL, -ENOENT, "/boot/vmlinuz: No such file");
}

static void test_settings(void **state)
{
	struct fixture *f = *state;
	char *initrds[] = {(char *)"/i1", (char *)"/i2", NULL};
	struct next_kernel_wish wish = {.kernel = "/k", .kernel_at = "f:1", .initrds = initrds};

	put_entry(f, "a.conf", "options x");
	put_kernel(f, "k");
	fake_file(f->root, "i1", "1");
	expect_error(f, &wish, -ENOENT, "Kernel= in f:1: its initrd would be /i2: No such file");
	fake_file(f->root, "i2", "2");
	choose(f, &wish);
	assert_string_equal(f->next.image, "/k");
	assert_int_equal(strv_length(f->next.initrds), 2);
	assert_string_equal(f->next.cmdline, "root=/dev/sda1 kho=on \"x y\" -- single");
	assert_string_equal(f->next.source, "f:1");
	wish.command_line = "quiet";
	wish.command_line_at = "f:2";
	choose(f, &wish);
	assert_string_equal(f->next.cmdline, "quiet");
	assert_string_equal(f->next.cmdline_from, "f:2");
	fake_file(f->root, "proc/cmdline", "a b\n");
	wish.reuse_cmdline = true;
	choose(f, &wish);
	assert_string_equal(f->next.cmdline, "a b quiet");
	/* Of an entry, the command line alone. */
	wish.kernel = NULL;
	choose(f, &wish);
	assert_string_equal(f->next.entry, "a.conf");
	assert_string_equal(f->next.cmdline, "a b quiet");
}

static void test_cmdline(void **state)
{
	static const struct {
		const char *before, *after;
	} lines[] = {
		{"", ""},
		{"  a  b\n", "a b"},
		{"BOOT_IMAGE=(hd0,gpt2)/v ro initrd=x initrd=y", "ro"},
		{"a=\"BOOT_IMAGE=1 initrd=2\" noinitrd", "a=\"BOOT_IMAGE=1 initrd=2\" noinitrd"},
		{"a -- initrd=of-init", "a -- initrd=of-init"},
		{"\"initrd=a b\" c", "c"},
		{"\va\v\fb\v", "a b"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		_cleanup_free_ char *cmdline = cmdline_without_loader(lines[i].before);

		assert_string_equal(cmdline, lines[i].after);
	}
}

static void test_entry(void **state)
{
	struct fixture *f = *state;

	put_entry(
		f, "a.conf",
		"\tinitrd   i1 \r\ninitrd /d//i2\noptions root=/dev/vda\t \noptions\noptions kho=on\n"
		"devicetree /x.dtb\nunknown thing\nversion");
	fake_file(f->root, "boot/i1", "1");
	fake_file(f->root, "boot/d/i2", "2");
	choose(f, NULL);
	assert_string_equal(f->next.entry, "a.conf");
	assert_string_equal(f->next.source, "/boot/loader/entries/a.conf");
	assert_string_equal(f->next.image, "/boot/a.conf/linux");
	assert_string_equal(f->next.initrds[0], "/boot/i1");
	assert_string_equal(f->next.initrds[1], "/boot/d//i2");
	assert_string_equal(f->next.cmdline, "root=/dev/vda kho=on");
	assert_string_equal(f->next.cmdline_from, "/boot/loader/entries/a.conf");
	assert_int_equal(strv_length(f->next.warnings), 1);
	assert_non_null(strstr(f->next.warnings[0], "devicetree /x.dtb has no effect"));
	fake_remove(f->root, "boot/d/i2");
	expect_error(f, NULL, -ENOENT, "a.conf), the first in the boot loader's order: its initrd");
	fake_remove(f->root, "boot/a.conf/linux");
	expect_error(f, NULL, -ENOENT, "would be /boot/a.conf/linux: No such file");
}

static void test_order(void **state)
{
	struct fixture *f = *state;

	put_entry(f, "z-old.conf", "version 9");
	expect_entry(f, "z-old.conf", "the first");
	put_entry(f, "b.conf", "sort-key debian\nversion 7.9.1\nmachine-id 2");
	expect_entry(f, "b.conf", "the first");
	put_entry(f, "a.conf", "sort-key debian\nversion 7.10\nmachine-id 2");
	expect_entry(f, "a.conf", "the first");
	put_entry(f, "m.conf", "sort-key debian\nversion 1\nmachine-id 1");
	expect_entry(f, "m.conf", "the first");
	put_entry(f, "arm.conf", "sort-key a\narchitecture AA64\nversion 1");
	put_entry(f, "bad+0-3.conf", "sort-key a\nversion 1");
#if defined(__x86_64__)
	expect_entry(f, "m.conf", "the first");
#endif
	put_entry(f, "new+2-1.conf", "sort-key a\nversion 1\narchitecture");
	expect_entry(f, "new.conf", "the first");
	assert_string_equal(f->next.source, "/boot/loader/entries/new+2-1.conf");
}

static void test_default(void **state)
{
	struct fixture *f = *state;

	put_entry(f, "a.conf", "sort-key a");
	put_entry(f, "b-1.conf", "sort-key b\nversion 1");
	put_entry(f, "b-2.conf", "sort-key b\nversion 2");
	put_entry(f, "c.conf", "sort-key c");
	put_entry(f, "d+0.conf", "sort-key d");
	expect_entry(f, "a.conf", "the first");
	fake_file(f->root, "boot/loader/loader.conf", "#default a.conf\ntimeout 3\ndefault  B-*\n");
	expect_entry(f, "b-2.conf", "the default in /boot/loader/loader.conf");
	put_variable(f, EFIVAR("LoaderEntryDefault"), "b-1.conf");
	expect_entry(f, "b-1.conf", "by the EFI variable LoaderEntryDefault");
	fake_file(f->root, "boot/loader/loader.conf", "default b-*\npreferred d.conf\n");
	expect_entry(f, "b-1.conf", "LoaderEntryDefault"); /* what is preferred is bad */
	fake_file(f->root, "boot/loader/loader.conf", "default b-*\npreferred a*\n");
	expect_entry(f, "a.conf", "preferred in /boot/loader/loader.conf");
	put_variable(f, EFIVAR("LoaderEntryPreferred"), "@saved");
	expect_entry(f, "a.conf", "preferred in");
	put_variable(f, EFIVAR("LoaderEntryLastBooted"), "b-1.conf");
	expect_entry(f, "b-1.conf", "LoaderEntryPreferred");
	put_variable(f, EFIVAR("LoaderEntryOneShot"), "c.conf");
	expect_entry(f, "c.conf", "LoaderEntryOneShot");
	put_variable(f, EFIVAR("LoaderEntryOneShot"), "auto-reboot-to-firmware-setup");
	expect_entry(f, "b-1.conf", "LoaderEntryPreferred");
	fake_file(f->root, EFIVAR("LoaderEntryOneShot"), "\7\0\0\0odd");
	expect_entry(f, "b-1.conf", "LoaderEntryPreferred");
}

static void test_grub(void **state)
{
	static const char path[] = "boot/grub2/grubenv";
	struct fixture *f = *state;

	put_entry(f, "m-6.1.conf", "version 6.1");
	put_entry(f, "m-6.2.conf", "version 6.2");
	put_entry(f, "m-6.3.conf", "version 6.3");
	fake_file(f->root, path, "# GRUB Environment Block\nsaved_entry=m-6.1\nx=y\n####");
	expect_entry(f, "m-6.1.conf", "saved_entry in /boot/grub2/grubenv");
	fake_file(f->root, path, "saved_entry=m-6.1\nnext_entry=m-6.2\n");
	expect_entry(f, "m-6.2.conf", "next_entry in /boot/grub2/grubenv");
	/* Titles and numbers are places in a menu that GRUB alone makes. */
	fake_file(f->root, path, "saved_entry=0\nnext_entry=\nnext_entry\nxsaved_entry=m-6.1\n");
	expect_entry(f, "m-6.3.conf", "the first");
	fake_file(f->root, path, "saved_entry=m-6.1\n");
	fake_file(f->root, "boot/loader/loader.conf", "");
	expect_entry(f, "m-6.3.conf", "the first");
}

static void test_named(void **state)
{
	struct fixture *f = *state;
	struct next_kernel_wish wish = {.entry = "b.conf", .entry_at = "--entry="};

	expect_error(f, &wish, -ENOENT, "no boot loader entry \"b.conf\"; there are none");
	put_entry(f, "a.conf", "sort-key a");
	put_entry(f, "b+0.conf", "sort-key b\noptions x");
	choose(f, &wish);
	assert_string_equal(f->next.entry, "b.conf");
	assert_non_null(strstr(f->next.why, "by --entry="));
	wish.entry = "A.CONF";
	choose(f, &wish);
	assert_string_equal(f->next.entry, "a.conf");
	wish.entry = "c";
	expect_error(f, &wish, -ENOENT, "there are a.conf, b.conf");
	fake_remove(f->root, "boot/loader/entries/a.conf");
	expect_error(f, NULL, -EINVAL, "marked as bad");
	wish.entry = "x.conf";
	put_entry(f, "x.conf", "architecture ia64");
	expect_error(f, &wish, -EINVAL, "another machine (ia64)");
}

static void test_unfit(void **state)
{
	static const struct {
		const char *more, *words;
	} bad[] = {
		{"efi /windows.efi", "starts the EFI program /windows.efi"},
		{"uki-url http://x/y", "is to be fetched from http://x/y"},
		{"profile 1", "wants profile 1"},
		{"linux /../etc/passwd", "\"/../etc/passwd\", which is no plain path"},
		{"initrd /a/./b", "no plain path"},
		{"initrd /a/", "no plain path"},
		{"initrd /a $tuned_initrd", "which only GRUB understands"},
		{"options ro $kernelopts", "variables of GRUB's"},
		{"options ${x}", "variables of GRUB's"},
		{"efi \e]0;title\a", "EFI program ?]0;title?"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		put_entry(f, "a.conf", bad[i].more);
		expect_error(f, NULL, -EINVAL, bad[i].words);
	}
	put_entry(f, "a.conf", "options a=$1 b$c"); /* no variable */
	expect_entry(f, "a.conf", "the first");
	fake_file(f->root, "boot/loader/entries/a.conf", "title none\n");
	expect_error(f, NULL, -EINVAL, "names no kernel");
	fake_file(f->root, "boot/loader/entries/a.conf", "linux /a.conf\n");
	fake_file(f->root, "boot/a.conf/x", "");
	expect_error(f, NULL, -EISDIR, "/boot/a.conf is a directory");
}

/* What is no entry is passed over, with a warning where it may have been meant as one. */
static void test_hostile(void **state)
{
	static char large[1024 * 1024 + 10];
	struct fixture *f = *state;

	memset(large, 'x', sizeof(large) - 1);
	put_entry(f, "good.conf", "sort-key z");
	fake_file(f->root, "boot/loader/entries/large.conf", large);
	fake_blob(f->root, "boot/loader/entries/nul.conf", "linux /a\0b\n", 11);
	fake_file(f->root, "boot/loader/entries/latin.conf", "linux /\xe4\n");
	fake_file(f->root, "boot/loader/entries/a b.conf", "linux /a\n");
	fake_file(f->root, "boot/loader/entries/.hidden.conf", "linux /a\n");
	fake_file(f->root, "boot/loader/entries/other.txt", "linux /a\n");
	fake_file(f->root, "boot/loader/entries/folder.conf/x", "");
	assert_int_equal(mkfifoat(f->root, "boot/loader/entries/fifo.conf", 0600), 0);
	assert_int_equal(symlinkat("good.conf", f->root, "boot/loader/entries/a-link.conf"), 0);
	expect_entry(f, "good.conf", "the first");
	assert_int_equal(strv_length(f->next.warnings), 4);
	fake_file(f->root, "boot/loader/entries/a+99999999999-1.conf", "linux /good.conf/linux\n");
	expect_entry(f, "good.conf", "the first");
}

static void test_places(void **state)
{
	struct fixture *f = *state;

	put_entry(f, "a.conf", "sort-key b");
	fake_file(f->root, "efi/loader/loader.conf", "default a.conf");
	fake_file(f->root, "boot/loader/loader.conf", "default b.conf");
	fake_file(f->root, "efi/loader/entries/b.conf", "linux /b\nsort-key a\n");
	expect_entry(f, "a.conf", "/efi/loader/loader.conf");
	fake_remove(f->root, "efi/loader/loader.conf");
	put_kernel(f, "efi/b");
	expect_entry(f, "b.conf", "/boot/loader/loader.conf");
	assert_string_equal(f->next.image, "/efi/b");
	/* The same file system at two places. */
	assert_int_equal(linkat(f->root, "efi/loader/entries/b.conf", f->root,
				"boot/loader/entries/b.conf", 0),
			 0);
	expect_entry(f, "b.conf", "/efi/loader/entries/b.conf");
	/* What the boot loader tells goes before all that. */
	fake_file(f->root, "run/boot-loader-entries/loader/entries/c.conf", "linux c\n");
	put_kernel(f, "run/boot-loader-entries/c");
	expect_entry(f, "c.conf", "the first");
	assert_string_equal(f->next.image, "/run/boot-loader-entries/c");
}

/* A unified kernel image is an entry by itself, with its own command line and order. */
static void test_uki(void **state)
{
#if defined(__x86_64__)
	struct fixture *f = *state;
	_cleanup_blob_ struct blob uki = {};

	sample_uki(&uki, &f->kernel);
	fake_blob(f->root, "efi/EFI/Linux/s+3.efi", uki.data, uki.size);
	fake_blob(f->root, "efi/EFI/Linux/no.efi", f->kernel.data, f->kernel.size);
	expect_entry(f, "s.efi", "the first");
	assert_string_equal(f->next.image, "/efi/EFI/Linux/s+3.efi");
	assert_string_equal(f->next.cmdline_from, "/efi/EFI/Linux/s+3.efi");
	assert_null(f->next.cmdline);
	assert_null(f->next.initrds);
	assert_int_equal(strv_length(f->next.warnings), 1);
	assert_non_null(strstr(f->next.warnings[0], "/efi/EFI/Linux/no.efi is no boot loader"));
	fake_file(f->root, "efi/EFI/Linux/s+3.efi.extra.d/a.addon.efi", "");
	expect_entry(f, "s.efi", "the first");
	assert_int_equal(strv_length(f->next.warnings), 2);
	assert_non_null(strstr(f->next.warnings[1], "s+3.efi.extra.d has no effect"));
	/* By its ID= and VERSION_ID=. */
	put_entry(f, "a.conf", "sort-key sample\nversion 6");
	expect_entry(f, "s.efi", "the first");
	put_entry(f, "a.conf", "sort-key sample\nversion 8");
	expect_entry(f, "a.conf", "the first");
	/* An entry that names one, and has no options of its own. */
	fake_blob(f->root, "boot/u.efi", uki.data, uki.size);
	fake_file(f->root, "boot/loader/entries/u.conf", "linux /u.efi\nsort-key a\n");
	expect_entry(f, "u.conf", "the first");
	assert_null(f->next.cmdline);
	fake_file(f->root, "boot/loader/entries/u.conf", "uki /u.efi\nsort-key a\noptions ro\n");
	expect_entry(f, "u.conf", "the first");
	assert_string_equal(f->next.cmdline, "ro");
	/* Cut off wherever: never an entry, never a crash. */
	fake_remove(f->root, "boot/loader/entries/u.conf");
	fake_remove(f->root, "boot/loader/entries/a.conf");
	for (size_t size = 0; size < uki.size; size += 97) {
		fake_blob(f->root, "efi/EFI/Linux/s+3.efi", uki.data, size);
		expect_error(f, NULL, -ENOENT, "nothing says which kernel");
	}
#endif
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_nothing), TEST(test_debian),	TEST(test_settings), TEST(test_cmdline),
		TEST(test_entry),   TEST(test_order),	TEST(test_default),  TEST(test_named),
		TEST(test_unfit),   TEST(test_hostile), TEST(test_places),   TEST(test_uki),
		TEST(test_grub),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
