/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "kho/transport/spool-room.h"
#include "kho/transport/spool.h"

#define UPDATE "0123456789abcdef"
#define OTHER "fedcba9876543210"
#define SIZE ((uint64_t)(3 * COPY_SLICE_SIZE + 5000))

static const struct carrier *spool = &carrier_spool;

struct fixture {
	char base[64];
	char where[80]; /* not there yet */
	int memory;
	struct carrier_item item;
};

static int setup(void **state)
{
	static struct fixture f;

	f = (struct fixture){};
	/* Where it is built is a disk; /tmp need not be one. */
	strcpy(f.base, "./test-spool-XXXXXX");
	assert_non_null(mkdtemp(f.base));
	snprintf(f.where, sizeof(f.where), "%s/spool", f.base);
	f.memory = copy_memory_new(SIZE, 0);
	for (uint64_t at = 0; at < SIZE; at += 777 * 4096)
		assert_int_equal(pwrite(f.memory, "at", 2, at), 2);
	assert_int_equal(pwrite(f.memory, "end", 3, SIZE - 3), 3);
	f.item = (struct carrier_item){.id = 7, .fd = f.memory, .size = SIZE, .label = "it"};
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(spool->discard(f->where, UPDATE), 0);
	assert_int_equal(spool->discard(f->where, OTHER), 0);
	rmdir(f->where);
	assert_int_equal(rmdir(f->base), 0);
	close(f->memory);
	return 0;
}

static void write_spool(const struct fixture *f, bool sealed)
{
	struct copy_progress progress = {};
	struct carrier_load *load = NULL;

	assert_int_equal(spool->create(f->where, UPDATE, &load, NULL), 0);
	assert_int_equal(spool->put(load, &f->item, &progress, NULL), 0);
	assert_int_equal(spool->flush(load, NULL), 0);
	if (sealed)
		assert_int_equal(spool->seal(load, "tree", 4, NULL), 0);
	spool->close(load);
}

static int read_spool(const struct fixture *f, const struct carrier_item *like, int *ret_fd,
		      char **ret_message)
{
	struct carrier_item item = *like;
	struct copy_progress progress = {};
	struct carrier_load *load = NULL;
	int r;

	item.fd = -EBADF;
	assert_int_equal(spool->open(f->where, UPDATE, &load, NULL), 0);
	r = spool->get(load, &item, &progress, ret_message);
	spool->close(load);
	*ret_fd = item.fd;
	return r;
}

static void damage(const struct fixture *f, off_t at)
{
	char path[128], c;
	int fd;

	snprintf(path, sizeof(path), "%s/kho-" UPDATE "/r7", f->where);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &c, 1, at), 1);
	c ^= 1;
	assert_int_equal(pwrite(fd, &c, 1, at), 1);
	close(fd);
}

static void assert_same(int a, int b)
{
	char *one = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, a, 0);
	char *other = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, b, 0);

	assert_int_equal(memcmp(one, other, SIZE), 0);
	munmap(one, SIZE);
	munmap(other, SIZE);
}

static void test_round_trip(void **state)
{
	struct fixture *f = *state;
	_cleanup_close_ int fd = -EBADF;
	char path[128];
	struct stat st;

	write_spool(f, true);
	assert_int_equal(read_spool(f, &f->item, &fd, NULL), 0);
	assert_same(f->memory, fd);
	snprintf(path, sizeof(path), "%s/kho-" UPDATE, f->where);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	snprintf(path, sizeof(path), "%s/kho-" UPDATE "/r7", f->where);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	/* Holes stay holes. */
	assert_true((uint64_t)st.st_blocks * 512 < SIZE / 2);
	assert_int_equal(spool->drop(f->where, UPDATE, 7), 0);
	assert_int_equal(stat(path, &st), -1);
}

static void test_damage(void **state)
{
	/* The first block, a digest, a page with content. */
	static const off_t places[] = {0, 20, 40, 60, 80, 4096, 2 * 4096};
	struct fixture *f = *state;
	int fd;

	write_spool(f, true);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		_cleanup_free_ char *message = NULL;

		damage(f, places[i]);
		assert_int_equal(read_spool(f, &f->item, &fd, &message), -EBADMSG);
		assert_true(fd < 0);
		assert_non_null(strstr(message, "is damaged"));
		damage(f, places[i]);
	}
	assert_int_equal(read_spool(f, &f->item, &fd, NULL), 0);
	close(fd);
}

static void test_not_that_one(void **state)
{
	struct fixture *f = *state;
	struct carrier_item item = f->item;
	struct carrier_load *load;
	int fd;

	write_spool(f, true);
	item.size--;
	assert_int_equal(read_spool(f, &item, &fd, NULL), -EBADMSG);
	item = f->item;
	item.id = 8;
	assert_int_equal(read_spool(f, &item, &fd, NULL), -ENOENT);
	assert_int_equal(spool->open(f->where, OTHER, &load, NULL), -ENOENT);
	assert_int_equal(spool->open(f->where, "../../etc", &load, NULL), -EINVAL);
}

static void test_others_directory(void **state)
{
	struct fixture *f = *state;
	struct carrier_load *load;
	char path[128];

	write_spool(f, true);
	snprintf(path, sizeof(path), "%s/kho-" UPDATE, f->where);
	assert_int_equal(chmod(path, 0770), 0);
	assert_int_equal(spool->open(f->where, UPDATE, &load, NULL), -EPERM);
	assert_int_equal(chmod(path, 0700), 0);
}

static void test_list(void **state)
{
	_cleanup_free_ struct spool_entry *entries = NULL;
	struct fixture *f = *state;
	_cleanup_free_ void *tree = NULL;
	size_t n = 1, size;

	assert_int_equal(spool_list(f->where, &entries, &n), 0);
	assert_int_equal(n, 0);
	write_spool(f, false);
	assert_int_equal(spool_list(f->where, &entries, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(entries[0].update_id, UPDATE);
	assert_false(entries[0].complete);
	assert_int_equal(entries[0].n_files, 1);
	assert_true(entries[0].bytes > 0);
	assert_int_equal(spool_read_tree(f->where, UPDATE, &tree, &size), -ENOENT);
	/* Begun anew, as if it had not been there. */
	write_spool(f, true);
	free(TAKE_PTR(entries));
	assert_int_equal(spool_list(f->where, &entries, &n), 0);
	assert_int_equal(n, 1);
	assert_true(entries[0].complete);
	assert_int_equal(spool_read_tree(f->where, UPDATE, &tree, &size), 0);
	assert_int_equal(size, 4);
	assert_memory_equal(tree, "tree", 4);
}

static void test_room(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *message = NULL;
	uint64_t usec;

	int r = spool_room(f->where, 3, SIZE, &usec, &message);

	/* A spool in memory is none, and here the folder may be. */
	if (r == -EOPNOTSUPP)
		skip();
	assert_int_equal(r, 0);
	assert_null(message);
	assert_int_equal(spool_room(f->where, 3, UINT64_MAX / 4, &usec, &message), -ENOSPC);
	assert_non_null(strstr(message, f->where));
	assert_non_null(strstr(message, "--kho-spool=DIR"));
	free(TAKE_PTR(message));
	assert_int_equal(spool_room("/proc/nowhere/spool", 3, SIZE, &usec, &message), -ENOENT);
	assert_non_null(message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_that_one, setup, teardown),
		cmocka_unit_test_setup_teardown(test_others_directory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_list, setup, teardown),
		cmocka_unit_test_setup_teardown(test_room, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
