/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "kho/lib/kho.h"
#include "tests/unit/fake-khod.h"

#define NO_EVENT 0

struct test {
	char directory[32];
	struct fake_khod khod;
	struct kho *kho;
};

static int memory(size_t size)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	return fd;
}

static ino_t inode(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

static int setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	strcpy(t->directory, "/tmp/test-libkho-XXXXXX");
	assert_non_null(mkdtemp(t->directory));
	assert_int_equal(setenv("KHO_RUNTIME_DIR", t->directory, 1), 0);
	fake_start(&t->khod);
	assert_int_equal(kho_connect(&t->kho), 0);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct test *t = *state;
	char path[64];

	assert_null(kho_close(t->kho));
	fake_stop(&t->khod);
	for (size_t i = 0; i < FAKE_REGIONS; i++)
		if (t->khod.regions[i].name[0])
			fake_forget(&t->khod, t->khod.regions[i].name);
	snprintf(path, sizeof(path), "%s/io.kho.Handover", t->directory);
	unlink(path);
	rmdir(t->directory);
	free(t);
	return 0;
}

static void test_nobody_there(void **state)
{
	struct kho *k = NULL;

	setenv("KHO_RUNTIME_DIR", "/nonexistent", 1);
	assert_int_equal(kho_connect(&k), -ECONNREFUSED);
	assert_null(k);
	assert_non_null(strstr(kho_strerror(-ECONNREFUSED), "khod is not running"));
	assert_null(kho_close(NULL));
}

static void test_register(void **state)
{
	struct test *t = *state;
	int fd = memory(4096);

	assert_int_equal(kho_register(t->kho, "a", fd, NULL, 0), 0);
	assert_int_equal(inode(fake_find(&t->khod, "a")->fd), inode(fd));
	assert_true(fake_find(&t->khod, "a")->required);
	close(fd);

	fd = memory(1);
	assert_int_equal(kho_register(t->kho, "b", fd, "file,order=0", KHO_OPTIONAL), 0);
	assert_false(fake_find(&t->khod, "b")->required);
	close(fd);

	assert_int_equal(kho_unregister(t->kho, "a"), 0);
	assert_null(fake_find(&t->khod, "a"));
	assert_int_equal(kho_unregister(t->kho, "a"), -ENOENT);
	assert_string_equal(kho_error_message(t->kho), "khod says NoSuchRegion of a");
}

static void test_bad_arguments(void **state)
{
	struct test *t = *state;
	int fd = memory(1);

	assert_int_equal(kho_register(t->kho, "a", -1, NULL, 0), -EBADF);
	assert_int_equal(kho_register(t->kho, "a", fd, NULL, KHO_TAKE_DAMAGED), -EINVAL);
	assert_int_equal(kho_register(t->kho, NULL, fd, NULL, 0), -EINVAL);
	assert_int_equal(kho_watch(t->kho, KHO_RECREATE_LOST), -EINVAL);
	assert_int_equal(kho_process(t->kho, NULL), -ENOTCONN);
	assert_int_equal(kho_acknowledge(t->kho), -ESTALE);
	assert_int_equal(t->khod.n_registered, 0);
	/* The handle is none the worse for it. */
	assert_int_equal(kho_register(t->kho, "a", fd, NULL, 0), 0);
	close(fd);
}

static void test_error_map(void **state)
{
	static const struct {
		const char *id;
		int error;
	} errors[] = {
		{"io.kho.Handover.RegionExists", EEXIST},
		{"io.kho.Handover.InvalidName", EINVAL},
		{"io.kho.Handover.DuplicateMemory", EALREADY},
		{"io.kho.Handover.UnsupportedMemory", EOPNOTSUPP},
		{"io.kho.Handover.MemdescMismatch", EMEDIUMTYPE},
		{"io.kho.Handover.LimitReached", ENOSPC},
		{"io.kho.Handover.RegionLost", ENODATA},
		{"io.kho.Handover.RegionDamaged", EUCLEAN},
		{"io.kho.Handover.UpdateInProgress", EBUSY},
		{"io.kho.Handover.NoSuchParticipant", ESTALE},
		{"io.kho.Handover.OfALaterVersion", EPROTO},
	};
	struct test *t = *state;
	char message[128];
	int fd = memory(1);

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		t->khod.register_error = errors[i].id;
		assert_int_equal(kho_register(t->kho, "a", fd, NULL, 0), -errors[i].error);
		snprintf(message, sizeof(message), "khod says %s of a",
			 strrchr(errors[i].id, '.') + 1);
		assert_string_equal(kho_error_message(t->kho), message);
	}
	assert_int_equal(t->khod.n_registered, sizeof(errors) / sizeof(errors[0]));
	assert_null(fake_find(&t->khod, "a"));
	close(fd);
}

static void test_claim_or_create(void **state)
{
	const struct kho_region *region = NULL;
	struct test *t = *state;
	struct kho *second;
	char buffer[6] = "";
	struct stat st;
	int fd;

	assert_int_equal(kho_claim_or_create(t->kho, "a", 8192, KHO_OPTIONAL, &fd, &region),
			 KHO_CREATED);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 8192);
	assert_int_equal(st.st_blocks, 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	/* F_SEAL_EXEC would come back from the next kernel as F_SEAL_WRITE. */
	assert_int_equal(fcntl(fd, F_GET_SEALS), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_string_equal(region->name, "a");
	assert_string_equal(region->owner, "test.service");
	assert_int_equal(region->check, KHO_CHECK_NEW);
	assert_int_equal(region->size, 8192);
	assert_false(region->required);
	assert_int_equal(pwrite(fd, "hello", 5, 0), 5);
	close(fd);

	assert_int_equal(kho_connect(&second), 0);
	assert_int_equal(kho_claim_or_create(second, "a", 100, 0, &fd, NULL), KHO_CLAIMED);
	assert_int_equal(inode(fd), st.st_ino);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(pread(fd, buffer, 5, 0), 5);
	assert_string_equal(buffer, "hello");
	close(fd);
	kho_close(second);
}

static void test_smaller_than_wanted(void **state)
{
	struct test *t = *state;
	int fd = 77;

	fake_add(&t->khod, "a", memory(100), "verified");
	assert_int_equal(kho_claim_or_create(t->kho, "a", 101, 0, &fd, NULL), -EMSGSIZE);
	assert_int_equal(fd, 77);
	assert_false(fake_find(&t->khod, "a")->claimed);
	assert_int_equal(kho_claim_or_create(t->kho, "a", UINT64_MAX, 0, &fd, NULL), -EMSGSIZE);
	assert_int_equal(kho_claim_or_create(t->kho, "b", UINT64_MAX, 0, &fd, NULL), -EFBIG);
}

static void test_loss_is_said(void **state)
{
	struct test *t = *state;
	int fd = -1;

	fake_add(&t->khod, "a", -1, "lost");
	assert_int_equal(kho_claim(t->kho, "a", 0, &fd, NULL), -ENODATA);
	assert_int_equal(kho_claim_or_create(t->kho, "a", 10, KHO_TAKE_DAMAGED, &fd, NULL),
			 -ENODATA);
	assert_string_equal(kho_error_message(t->kho), "khod says RegionLost of a");
	assert_int_equal(fd, -1);
	assert_int_equal(t->khod.n_registered, 0);

	assert_int_equal(kho_claim_or_create(t->kho, "a", 10, KHO_RECREATE_LOST, &fd, NULL),
			 KHO_RECREATED);
	assert_int_equal(inode(fake_find(&t->khod, "a")->fd), inode(fd));
	close(fd);
}

static void test_damage_is_said(void **state)
{
	const struct kho_region *region;
	struct test *t = *state;
	int fd = -1;

	fake_add(&t->khod, "a", memory(10), "damaged");
	assert_int_equal(kho_claim_or_create(t->kho, "a", 10, KHO_RECREATE_LOST, &fd, NULL),
			 -EUCLEAN);
	assert_int_equal(fd, -1);
	assert_int_equal(kho_claim(t->kho, "a", KHO_TAKE_DAMAGED, &fd, &region), 0);
	assert_int_equal(region->check, KHO_CHECK_DAMAGED);
	close(fd);
}

static void test_list(void **state)
{
	const struct kho_region *const *regions;
	struct test *t = *state;

	assert_int_equal(kho_list(t->kho, &regions), 0);
	assert_null(regions[0]);
	fake_add(&t->khod, "a", memory(10), "verified");
	fake_add(&t->khod, "b", -1, "lost");
	fake_add(&t->khod, "c", memory(0), "scorched");
	assert_int_equal(kho_list(t->kho, &regions), 3);
	assert_string_equal(regions[0]->name, "a");
	assert_int_equal(regions[0]->size, 10);
	assert_int_equal(regions[0]->check, KHO_CHECK_VERIFIED);
	assert_int_equal(regions[1]->check, KHO_CHECK_LOST);
	assert_int_equal(regions[2]->check, KHO_CHECK_UNKNOWN);
	assert_null(regions[2]->reason);
	assert_null(regions[3]);
}

/* Waits until the fd is readable, as an event loop does, for the next event; NO_EVENT: time ran
 * out. */
static int next_event(struct test *t, const struct kho_event **ret, int timeout_ms)
{
	struct pollfd p = {.fd = kho_get_fd(t->kho), .events = POLLIN};
	const struct kho_event *event;

	while (poll(&p, 1, timeout_ms) > 0) {
		int r = kho_process(t->kho, &event);

		assert_true(r >= 0);
		if (r > 0) {
			*ret = event;
			return event->type;
		}
	}
	return NO_EVENT;
}

static void expect(struct test *t, enum kho_event_type type, const struct kho_event **ret)
{
	const struct kho_event *event;

	assert_int_equal(next_event(t, &event, 3000), type);
	if (ret)
		*ret = event;
}

static void expect_silence(struct test *t)
{
	const struct kho_event *event;

	assert_int_equal(next_event(t, &event, 300), NO_EVENT);
}

static void ask(struct test *t, const char *update, const char *phase)
{
	t->khod.update = update;
	t->khod.phase = phase;
	t->khod.state = strcmp(phase, "freeze") == 0 ? "freezing" : "preparing";
	fake_tell(&t->khod, phase);
}

static void test_update(void **state)
{
	const struct kho_event *event;
	struct test *t = *state;

	assert_int_equal(kho_watch(t->kho, 0), 0);
	assert_int_equal(kho_watch(t->kho, 0), -EALREADY);
	assert_int_equal(kho_acknowledge(t->kho), -ESTALE);
	expect_silence(t);

	ask(t, "u1", "prepare");
	expect(t, KHO_EVENT_PREPARE, &event);
	assert_string_equal(event->update, "u1");
	assert_true(event->timeout_usec > 20000000 && event->timeout_usec <= 30000000);
	assert_int_equal(kho_acknowledge(t->kho), 0);
	assert_string_equal(t->khod.acknowledged, "prepare:u1:accept:");

	ask(t, "u1", "freeze");
	expect(t, KHO_EVENT_FREEZE, NULL);
	assert_int_equal(kho_refuse(t->kho, "a backup runs"), 0);
	assert_string_equal(t->khod.acknowledged, "freeze:u1:refuse:a backup runs");

	/* Nothing is to be answered to this one. */
	fake_tell(&t->khod, "committed");
	expect(t, KHO_EVENT_COMMITTED, &event);
	assert_string_equal(event->update, "u1");
	expect_silence(t);

	t->khod.update = NULL;
	fake_tell(&t->khod, "resume");
	expect(t, KHO_EVENT_RESUME, &event);
	assert_string_equal(event->reason, "the operator gave up");
	assert_int_equal(event->timeout_usec, UINT64_MAX);
	assert_int_equal(kho_acknowledge(t->kho), -ESTALE);
	expect_silence(t);
}

/* Events that came at once are given out one by one, and make the fd readable until the last. */
static void test_events_in_a_row(void **state)
{
	struct test *t = *state;

	assert_int_equal(kho_watch(t->kho, 0), 0);
	ask(t, "u1", "prepare");
	fake_tell(&t->khod, "resume");
	ask(t, "u2", "prepare");
	expect(t, KHO_EVENT_PREPARE, NULL);
	assert_int_equal(kho_acknowledge(t->kho), -ESTALE);
	expect(t, KHO_EVENT_RESUME, NULL);
	expect(t, KHO_EVENT_PREPARE, NULL);
	assert_int_equal(kho_acknowledge(t->kho), 0);
	assert_string_equal(t->khod.acknowledged, "prepare:u2:accept:");
	expect_silence(t);
}

/* khod's connections are limited: a service that watches holds one, whatever else it does. */
static void test_one_connection(void **state)
{
	const struct kho_region *const *regions;
	struct test *t = *state;

	assert_int_equal(fake_connections(&t->khod), 1);
	assert_int_equal(kho_watch(t->kho, 0), 0);
	assert_int_equal(kho_list(t->kho, &regions), 0);
	for (int i = 0; i < 100 && fake_connections(&t->khod) > 1; i++)
		usleep(10000);
	assert_int_equal(fake_connections(&t->khod), 1);
}

static void test_restart_between_calls(void **state)
{
	struct test *t = *state;
	int fd;

	fake_add(&t->khod, "a", memory(10), "verified");
	fake_stop(&t->khod);
	fake_start(&t->khod);
	assert_int_equal(kho_claim(t->kho, "a", 0, &fd, NULL), 0);
	close(fd);
}

/* khod comes back without what a handle that does not watch gave to it: the next call mends that.
 */
static void test_restart_forgets(void **state)
{
	struct test *t = *state;
	int fd, again;

	assert_int_equal(kho_claim_or_create(t->kho, "a", 10, 0, &fd, NULL), KHO_CREATED);
	fake_stop(&t->khod);
	fake_forget(&t->khod, "a");
	fake_start(&t->khod);
	assert_int_equal(kho_claim(t->kho, "a", 0, &again, NULL), 0);
	assert_int_equal(inode(fd), inode(again));
	close(fd);
	close(again);
}

static void test_gone_for_good(void **state)
{
	const struct kho_region *const *regions;
	struct test *t = *state;
	time_t start = time(NULL);

	fake_stop(&t->khod);
	assert_int_equal(kho_list(t->kho, &regions), -ECONNREFUSED);
	assert_true(time(NULL) - start >= 4 && time(NULL) - start < 20);
	assert_non_null(strstr(kho_error_message(t->kho), "khod is not running"));
	fake_start(&t->khod);
	assert_int_equal(kho_list(t->kho, &regions), 0);
}

/* The reply got lost, the call did not: that is no error. */
static void test_reply_lost(void **state)
{
	struct test *t = *state;
	int fd = memory(10);

	t->khod.register_hangs_up = true;
	assert_int_equal(kho_register(t->kho, "a", fd, NULL, 0), 0);
	assert_int_equal(t->khod.n_registered, 2);
	close(fd);
}

static void restart(struct test *t)
{
	fake_stop(&t->khod);
	expect(t, KHO_EVENT_DISCONNECTED, NULL);
	fake_start(&t->khod);
	expect(t, KHO_EVENT_RECONNECTED, NULL);
}

static void test_watch_again(void **state)
{
	const struct kho_event *event;
	struct test *t = *state;
	int fds[3], poll_fd;

	for (int i = 0; i < 3; i++)
		assert_int_equal(kho_claim_or_create(t->kho, (const char *[]){"a", "b", "c"}[i], 10,
						     0, &fds[i], NULL),
				 KHO_CREATED);
	assert_int_equal(kho_watch(t->kho, 0), 0);
	poll_fd = kho_get_fd(t->kho);

	/* khod is not there for a while, and has everything. */
	fake_stop(&t->khod);
	expect(t, KHO_EVENT_DISCONNECTED, NULL);
	expect_silence(t);
	expect_silence(t);
	fake_start(&t->khod);
	expect(t, KHO_EVENT_RECONNECTED, NULL);
	expect_silence(t);
	assert_int_equal(t->khod.n_registered, 3);

	/* It has forgotten a, lost b, and c is not claimed. */
	fake_stop(&t->khod);
	expect(t, KHO_EVENT_DISCONNECTED, NULL);
	fake_forget(&t->khod, "a");
	close(fake_find(&t->khod, "b")->fd);
	fake_find(&t->khod, "b")->fd = -1;
	fake_find(&t->khod, "b")->check = "lost";
	fake_find(&t->khod, "c")->claimed = false;
	fake_start(&t->khod);
	expect(t, KHO_EVENT_RECONNECTED, NULL);
	expect(t, KHO_EVENT_REGISTERED_AGAIN, &event);
	expect(t, KHO_EVENT_REGISTERED_AGAIN, &event);
	expect_silence(t);
	assert_int_equal(inode(fake_find(&t->khod, "a")->fd), inode(fds[0]));
	assert_int_equal(inode(fake_find(&t->khod, "b")->fd), inode(fds[1]));
	assert_true(fake_find(&t->khod, "c")->claimed);
	assert_int_equal(kho_get_fd(t->kho), poll_fd);

	/* And takes part in updates. */
	ask(t, "u1", "prepare");
	expect(t, KHO_EVENT_PREPARE, NULL);
	assert_int_equal(kho_acknowledge(t->kho), 0);
	assert_string_equal(t->khod.acknowledged, "prepare:u1:accept:");
	for (int i = 0; i < 3; i++)
		close(fds[i]);
}

static void test_not_kept(void **state)
{
	const struct kho_event *event;
	struct test *t = *state;
	int fd;

	assert_int_equal(kho_claim_or_create(t->kho, "a", 10, 0, &fd, NULL), KHO_CREATED);
	assert_int_equal(kho_watch(t->kho, 0), 0);
	fake_stop(&t->khod);
	expect(t, KHO_EVENT_DISCONNECTED, NULL);
	fake_forget(&t->khod, "a");
	t->khod.register_error = "io.kho.Handover.LimitReached";
	fake_start(&t->khod);
	expect(t, KHO_EVENT_RECONNECTED, NULL);
	expect(t, KHO_EVENT_NOT_KEPT, &event);
	assert_string_equal(event->region, "a");
	assert_string_equal(event->reason, "khod says LimitReached of a");
	expect_silence(t);
	close(fd);
}

/* Frozen, and khod comes back: the service goes on only if the update is off. */
static void test_frozen_over_restart(void **state)
{
	const struct kho_event *event;
	struct test *t = *state;

	assert_int_equal(kho_watch(t->kho, 0), 0);
	ask(t, "u1", "freeze");
	expect(t, KHO_EVENT_FREEZE, NULL);
	assert_int_equal(kho_acknowledge(t->kho), 0);

	/* Still this update: the new khod hears the answer by itself. */
	t->khod.acknowledged[0] = '\0';
	restart(t);
	expect_silence(t);
	assert_string_equal(t->khod.acknowledged, "freeze:u1:accept:");

	/* Still this update, and too far for an answer. */
	t->khod.phase = "none";
	t->khod.state = "committed";
	restart(t);
	expect_silence(t);

	t->khod.update = NULL;
	t->khod.state = NULL;
	restart(t);
	expect(t, KHO_EVENT_RESUME, &event);
	assert_string_equal(event->update, "u1");
	expect_silence(t);
}

/* An answer that is given while khod is away reaches it all the same. */
static void test_answer_while_away(void **state)
{
	struct test *t = *state;

	assert_int_equal(kho_watch(t->kho, 0), 0);
	ask(t, "u1", "prepare");
	expect(t, KHO_EVENT_PREPARE, NULL);
	fake_stop(&t->khod);
	assert_int_equal(kho_acknowledge(t->kho), 0);
	expect(t, KHO_EVENT_DISCONNECTED, NULL);
	fake_start(&t->khod);
	expect(t, KHO_EVENT_RECONNECTED, NULL);
	expect_silence(t);
	assert_string_equal(t->khod.acknowledged, "prepare:u1:accept:");
}

/* Not answered yet, and the new khod knows nothing of it: then the answer says that all is off. */
static void test_late_answer(void **state)
{
	struct test *t = *state;

	assert_int_equal(kho_watch(t->kho, 0), 0);
	ask(t, "u1", "prepare");
	expect(t, KHO_EVENT_PREPARE, NULL);
	t->khod.update = NULL;
	restart(t);
	expect_silence(t);
	assert_int_equal(kho_acknowledge(t->kho), -ESTALE);
	expect(t, KHO_EVENT_RESUME, NULL);
	expect_silence(t);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_there),
		TEST(test_register),
		TEST(test_bad_arguments),
		TEST(test_error_map),
		TEST(test_claim_or_create),
		TEST(test_smaller_than_wanted),
		TEST(test_loss_is_said),
		TEST(test_damage_is_said),
		TEST(test_list),
		TEST(test_update),
		TEST(test_events_in_a_row),
		TEST(test_one_connection),
		TEST(test_restart_between_calls),
		TEST(test_restart_forgets),
		TEST(test_gone_for_good),
		TEST(test_reply_lost),
		TEST(test_watch_again),
		TEST(test_not_kept),
		TEST(test_frozen_over_restart),
		TEST(test_answer_while_away),
		TEST(test_late_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
