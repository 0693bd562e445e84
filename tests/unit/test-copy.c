/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "kho/transport/copy.h"

#define SLICES 5
#define SIZE (SLICES * COPY_SLICE_SIZE - 100)

/* Slices as a transport would keep them. */
struct kept {
	uint8_t *data[SLICES];
	uint8_t digest[SLICES][COPY_DIGEST_SIZE];
	size_t n_bytes[SLICES];
	int error;
	atomic_bool *cancel_now;
};

static int keep(void *userdata, const struct copy_slice *slice)
{
	struct kept *kept = userdata;

	if (kept->cancel_now)
		*kept->cancel_now = true;
	if (kept->error)
		return kept->error;
	assert_null(kept->data[slice->number]);
	kept->data[slice->number] = malloc(slice->length);
	memcpy(kept->data[slice->number], slice->data, slice->length);
	memcpy(kept->digest[slice->number], slice->digest, COPY_DIGEST_SIZE);
	kept->n_bytes[slice->number] = slice->n_bytes;
	return 0;
}

static int give(void *userdata, struct copy_slice *slice, uint8_t ret_digest[COPY_DIGEST_SIZE])
{
	struct kept *kept = userdata;

	for (size_t i = 0; i < slice->length; i++)
		assert_int_equal(slice->data[i], 0);
	if (!kept->data[slice->number])
		return 0;
	memcpy(slice->data, kept->data[slice->number], slice->length);
	memcpy(ret_digest, kept->digest[slice->number], COPY_DIGEST_SIZE);
	return 0;
}

static void kept_done(struct kept *kept)
{
	for (size_t i = 0; i < SLICES; i++)
		free(kept->data[i]);
}

/* Slice 0: two runs with a zero page between; 1: a hole; 2: zeros that are allocated; 3: full; 4:
 * its last, short page alone.
 */
static int sample(void)
{
	static uint8_t page[COPY_PAGE_SIZE];
	int fd = memfd_create("sample", MFD_CLOEXEC);
	uint64_t at;

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, SIZE), 0);
	assert_int_equal(pwrite(fd, page, sizeof(page), COPY_PAGE_SIZE), sizeof(page));
	for (at = 2 * COPY_SLICE_SIZE; at < 3 * COPY_SLICE_SIZE; at += sizeof(page))
		assert_int_equal(pwrite(fd, page, sizeof(page), at), sizeof(page));
	memset(page, 'x', sizeof(page));
	assert_int_equal(pwrite(fd, page, sizeof(page), 0), sizeof(page));
	assert_int_equal(pwrite(fd, page, sizeof(page), 2 * COPY_PAGE_SIZE), sizeof(page));
	for (at = 3 * COPY_SLICE_SIZE; at < 4 * COPY_SLICE_SIZE; at += sizeof(page))
		assert_int_equal(pwrite(fd, &at, sizeof(at), at), sizeof(at));
	assert_int_equal(pwrite(fd, "end", 3, SIZE - 3), 3);
	memset(page, 0, sizeof(page));
	return fd;
}

static void assert_same_memory(int a, int b)
{
	uint8_t *one = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, a, 0);
	uint8_t *other = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, b, 0);

	assert_int_equal(memcmp(one, other, SIZE), 0);
	munmap(one, SIZE);
	munmap(other, SIZE);
}

static void test_round_trip(void **state)
{
	_cleanup_close_ int from = sample(), to = copy_memory_new(SIZE, 0);
	struct copy_progress there = {}, back = {};
	struct kept kept = {};

	assert_int_equal(lseek(from, 77, SEEK_SET), 77);
	assert_int_equal(copy_out(from, SIZE, &(struct copy_sink){keep, &kept}, &there), 0);
	assert_int_equal(lseek(from, 0, SEEK_CUR), 77);
	assert_non_null(kept.data[0]);
	assert_null(kept.data[1]);
	assert_null(kept.data[2]);
	assert_int_equal(kept.n_bytes[0], 2 * COPY_PAGE_SIZE);
	assert_int_equal(kept.n_bytes[3], COPY_SLICE_SIZE);
	assert_int_equal(kept.n_bytes[4], COPY_PAGE_SIZE - 100);
	assert_int_equal(there.n_read, SIZE);

	assert_int_equal(copy_in(to, SIZE, &(struct copy_source){give, &kept}, &back), 0);
	assert_same_memory(from, to);
	assert_int_equal(back.n_copied, there.n_copied);
	/* Zeros that were allocated are not written. */
	assert_int_equal(back.n_copied,
			 2 * COPY_PAGE_SIZE + COPY_SLICE_SIZE + COPY_PAGE_SIZE - 100);
	kept_done(&kept);
}

static void test_damage(void **state)
{
	_cleanup_close_ int from = sample(), to = copy_memory_new(SIZE, 0);
	struct copy_progress progress = {};
	struct kept kept = {};

	assert_int_equal(copy_out(from, SIZE, &(struct copy_sink){keep, &kept}, &progress), 0);
	kept.data[3][12345] ^= 1;
	assert_int_equal(copy_in(to, SIZE, &(struct copy_source){give, &kept}, &progress),
			 -EBADMSG);
	kept.data[3][12345] ^= 1;
	/* Content where there was none. */
	kept.data[1] = calloc(1, COPY_SLICE_SIZE);
	kept.data[1][5] = 1;
	assert_int_equal(copy_in(to, SIZE, &(struct copy_source){give, &kept}, &progress),
			 -EBADMSG);
	kept_done(&kept);
}

static void test_errors(void **state)
{
	_cleanup_close_ int from = sample();
	struct kept kept = {.error = -ENOSPC};
	atomic_bool cancel = true;
	struct copy_progress progress = {.cancel = &cancel};
	struct copy_sink sink = {keep, &kept};

	assert_int_equal(copy_out(from, SIZE, &sink, &progress), -ECANCELED);
	cancel = false;
	assert_int_equal(copy_out(from, SIZE, &sink, &progress), -ENOSPC);
	kept.error = 0;
	kept.cancel_now = &cancel;
	assert_int_equal(copy_out(from, SIZE, &sink, &progress), -ECANCELED);
	cancel = false;
	kept_done(&kept);
	kept = (struct kept){};
	/* It has become shorter than it was said to be. */
	assert_int_equal(ftruncate(from, 4 * COPY_SLICE_SIZE), 0);
	progress.cancel = NULL;
	assert_int_equal(lseek(from, 0, SEEK_SET), 0);
	assert_int_equal(pwrite(from, "x", 1, 4 * COPY_SLICE_SIZE), 1);
	assert_int_equal(copy_out(from, SIZE, &sink, &progress), -ENODATA);
	kept_done(&kept);
}

static void test_empty(void **state)
{
	_cleanup_close_ int memory = copy_memory_new(0, 0);
	struct copy_progress progress = {};
	struct kept kept = {};
	uint64_t bytes = 1;

	assert_true(memory >= 0);
	assert_int_equal(copy_out(memory, 0, &(struct copy_sink){keep, &kept}, &progress), 0);
	assert_int_equal(copy_in(memory, 0, &(struct copy_source){give, &kept}, &progress), 0);
	assert_int_equal(copy_bytes_max(memory, &bytes), 0);
	assert_int_equal(bytes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
