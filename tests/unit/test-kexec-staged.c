/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "kexec/staged.h"
#include "kho/core/cleanup.h"

/* Everything happens in a directory of its own, which is the runtime directory too. */
static int setup(void **state)
{
	char *directory = strdup("/tmp/kho-staged-XXXXXX");

	assert_non_null(mkdtemp(directory));
	assert_int_equal(chdir(directory), 0);
	assert_int_equal(setenv("KHO_RUNTIME_DIR", directory, 1), 0);
	*state = directory;
	return 0;
}

static int teardown(void **state)
{
	static const char *const files[] = {"kernel", "initrd", "other", "staged.json"};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		(void)unlink(files[i]);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(*state), 0);
	free(*state);
	return 0;
}

static void write_text(const char *path, const char *text)
{
	_cleanup_fclose_ FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
}

static void make_staged(struct staged *staged)
{
	char *arguments[] = {(char *)"--reuse-cmdline", (char *)"--append=a=\"b c\" \xc3\xa9",
			     (char *)"--initrd=initrd", NULL};
	struct kexec_options options = {.image = "kernel",
					.initrd = "initrd",
					.load_arguments = arguments,
					.n_load_arguments = 3};
	char *error;

	write_text("kernel", "a kernel");
	write_text("initrd", "an initrd");
	assert_int_equal(staged_init(staged, &options, &error), 0);
	staged->update = strdup("0123456789abcdef");
}

static void assert_same_file(const struct staged_file *a, const struct staged_file *b)
{
	assert_string_equal(a->path, b->path);
	assert_int_equal(a->device, b->device);
	assert_int_equal(a->inode, b->inode);
	assert_int_equal(a->size, b->size);
	assert_int_equal(a->mtime_nsec, b->mtime_nsec);
	assert_string_equal(a->digest, b->digest);
}

static void test_record(void **state)
{
	_cleanup_(staged_done) struct staged staged = {}, again = {};
	const char *directory = *state;
	struct stat st;

	assert_int_equal(staged_read(&again), -ENOENT);
	make_staged(&staged);
	assert_int_equal(staged_set_cmdline(&staged, "of the image"), 0);
	assert_int_equal(staged_write(&staged), 0);
	assert_int_equal(staged_write(&staged), 0);
	assert_int_equal(stat("staged.json", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);

	assert_int_equal(staged_read(&again), 0);
	assert_string_equal(again.update, "0123456789abcdef");
	assert_same_file(&again.image, &staged.image);
	assert_same_file(&again.initrd, &staged.initrd);
	assert_string_equal(again.arguments[0], "--reuse-cmdline");
	assert_string_equal(again.arguments[1], "--append=a=\"b c\" \xc3\xa9");
	/* From wherever -e is called. */
	assert_int_equal(strncmp(again.arguments[2], "--initrd=/", 10), 0);
	assert_non_null(strstr(again.arguments[2], directory));
	assert_string_equal(again.arguments[3], "--command-line=of the image");
	assert_null(again.arguments[4]);
	assert_int_equal(strlen(again.image.digest), 32);
	assert_string_not_equal(again.image.digest, again.initrd.digest);
}

static void test_no_initrd(void **state)
{
	_cleanup_(staged_done) struct staged staged = {}, again = {};
	struct kexec_options options = {.image = "kernel"};
	char *error;

	write_text("kernel", "a kernel");
	assert_int_equal(staged_init(&staged, &options, &error), 0);
	staged.update = strdup("0123456789abcdef");
	assert_int_equal(staged_write(&staged), 0);
	assert_int_equal(staged_read(&again), 0);
	assert_null(again.initrd.path);
	assert_true(!again.arguments || !again.arguments[0]);
}

static void expect_changed(const struct staged *staged, const char *name)
{
	_cleanup_free_ char *error = NULL;

	assert_int_equal(staged_verify(staged, true, &error), -ESTALE);
	assert_non_null(strstr(error, name));
	assert_non_null(strstr(error, "has changed since it was checked"));
}

static void test_changed(void **state)
{
	_cleanup_(staged_done) struct staged staged = {};
	_cleanup_free_ char *error = NULL;
	struct timespec times[2];
	struct stat st;

	make_staged(&staged);
	assert_int_equal(staged_verify(&staged, true, &error), 0);
	assert_int_equal(staged_verify(&staged, false, &error), 0);

	/* Another content in the same file, of the same size and time: only reading it tells. */
	assert_int_equal(stat("kernel", &st), 0);
	write_text("kernel", "b kernel");
	times[0] = times[1] = st.st_mtim;
	assert_int_equal(utimensat(AT_FDCWD, "kernel", times, 0), 0);
	assert_int_equal(staged_verify(&staged, false, &error), 0);
	expect_changed(&staged, "/kernel");
	write_text("kernel", "a kernel");
	assert_int_equal(utimensat(AT_FDCWD, "kernel", times, 0), 0);
	assert_int_equal(staged_verify(&staged, true, &error), 0);

	/* The same content in another file. */
	write_text("other", "an initrd");
	assert_int_equal(stat("initrd", &st), 0);
	times[0] = times[1] = st.st_mtim;
	assert_int_equal(utimensat(AT_FDCWD, "other", times, 0), 0);
	assert_int_equal(rename("other", "initrd"), 0);
	expect_changed(&staged, "/initrd");
	assert_int_equal(unlink("initrd"), 0);
	assert_int_equal(staged_verify(&staged, true, &error), -ENOENT);
}

static void test_foreign_record(void **state)
{
	static const char *const bad[] = {
		"",
		"{",
		"[]",
		"{}",
		"{\"update\":\"x\",\"arguments\":[],\"image\":null}",
		"{\"update\":\"x\",\"arguments\":[],\"image\":{\"path\":\"/k\"}}",
		"{\"update\":\"x\",\"arguments\":[],\"image\":{\"path\":\"/k\",\"device\":1,"
		"\"inode\":1,\"size\":1,\"mtimeNSec\":1,\"digest\":\"short\"}}",
		"{\"update\":7,\"arguments\":[],\"image\":{\"path\":\"/k\",\"device\":1,"
		"\"inode\":1,\"size\":1,\"mtimeNSec\":1,"
		"\"digest\":\"00000000000000000000000000000000\"}}",
	};
	_cleanup_(staged_done) struct staged staged = {}, again = {};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		write_text("staged.json", bad[i]);
		assert_int_equal(chmod("staged.json", 0600), 0);
		if (staged_read(&again) != -EBADMSG)
			fail_msg("%s", bad[i]);
	}
	make_staged(&staged);
	assert_int_equal(staged_write(&staged), 0);
	assert_int_equal(chmod("staged.json", 0620), 0);
	assert_int_equal(staged_read(&again), -EBADMSG);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_record),
		TEST(test_no_initrd),
		TEST(test_changed),
		TEST(test_foreign_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
