/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libkho: what a participant says about time and order. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "kho/lib/kho.h"
#include "tests/unit/fake-khod.h"

struct test {
	char directory[32];
	struct fake_khod khod;
	struct kho *kho;
};

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

	kho_close(t->kho);
	fake_stop(&t->khod);
	snprintf(path, sizeof(path), "%s/io.kho.Handover", t->directory);
	unlink(path);
	snprintf(path, sizeof(path), "%s/io.kho.Manager", t->directory);
	unlink(path);
	rmdir(t->directory);
	free(t);
	return 0;
}

static void ask(struct test *t, const char *update, const char *phase, enum kho_event_type type)
{
	struct pollfd p = {.fd = kho_get_fd(t->kho), .events = POLLIN};
	const struct kho_event *event;
	int r;

	t->khod.update = update;
	t->khod.phase = phase;
	fake_tell(&t->khod, phase);
	do {
		assert_int_equal(poll(&p, 1, 60000), 1);
		r = kho_process(t->kho, &event);
	} while (r == 0);
	assert_int_equal(r, 1);
	assert_int_equal(event->type, type);
}

static void test_more_time(void **state)
{
	struct test *t = *state;
	uint64_t usec = 0;

	assert_int_equal(kho_extend_timeout(NULL, 1, NULL, NULL), -EINVAL);
	assert_int_equal(kho_watch(t->kho, 0), 0);
	assert_int_equal(kho_extend_timeout(t->kho, 8000000, NULL, NULL), -ESTALE);
	ask(t, "u1", "prepare", KHO_EVENT_PREPARE);
	assert_int_equal(kho_extend_timeout(t->kho, 8000000, "the index is large", &usec), 0);
	assert_int_equal(usec, 4000000);
	assert_string_equal(t->khod.extended, "prepare:u1:8000000:the index is large");
	assert_int_equal(kho_extend_timeout(t->kho, 8000000, NULL, &usec), -EALREADY);
	assert_string_equal(kho_error_message(t->kho), "it has had more time");

	/* It is no answer. */
	assert_int_equal(kho_acknowledge(t->kho), 0);
	assert_string_equal(t->khod.acknowledged, "prepare:u1:accept:");
	assert_int_equal(kho_extend_timeout(t->kho, 8000000, NULL, NULL), -ESTALE);

	t->khod.extended[0] = '\0';
	ask(t, "u1", "freeze", KHO_EVENT_FREEZE);
	assert_int_equal(kho_extend_timeout(t->kho, UINT64_MAX, NULL, NULL), 0);
	assert_string_equal(t->khod.extended, "freeze:u1:18446744073709551615:");
}

static void test_order(void **state)
{
	struct test *t = *state;

	assert_int_equal(kho_freeze_before(NULL, "a"), -EINVAL);
	assert_int_equal(kho_freeze_before(t->kho, ""), -EINVAL);
	assert_int_equal(kho_freeze_after(t->kho, NULL), -EINVAL);
	assert_int_equal(kho_freeze_before(t->kho, "web.service"), 0);
	assert_int_equal(kho_freeze_after(t->kho, "db.service"), 0);
	assert_int_equal(kho_freeze_after(t->kho, "uid:7/log.service"), 0);
	assert_int_equal(kho_watch(t->kho, 0), 0);
	assert_string_equal(t->khod.order, ",web.service;,db.service,uid:7/log.service");
	assert_int_equal(kho_freeze_before(t->kho, "a"), -EALREADY);
}

static void test_order_in_a_circle(void **state)
{
	struct test *t = *state;

	t->khod.watch_error = "io.kho.Handover.OrderCycle";
	assert_int_equal(kho_freeze_before(t->kho, "a"), 0);
	assert_int_equal(kho_watch(t->kho, 0), -ELOOP);
	assert_string_equal(kho_error_message(t->kho), "not like this");
	t->khod.watch_error = "io.kho.Handover.OrderNotAllowed";
	assert_int_equal(kho_watch(t->kho, 0), -EPERM);
	/* The handle is as good as before. */
	t->khod.watch_error = NULL;
	assert_int_equal(kho_watch(t->kho, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_more_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_order_in_a_circle, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
