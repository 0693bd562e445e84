/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/vm/luo/luo-test.h"

static void preserve_and_release(struct transport_item *items, size_t n)
{
	char *message = NULL;
	size_t failed = 0;
	int session;

	must(transport_luo.open(TEST_UPDATE, 0, 1, &session, &message), message, "open");
	must(transport_luo.preserve(session, 0, items, n, NULL, &failed, &message), message,
	     "preserve");
	must(transport_luo.stage(items, n, &failed, &message), message, "stage");
	must(transport_luo.abort(&session, 1, items, n, 60 * SECOND, &failed, &message), message,
	     "abort");
}

/*
 * The largest hole that the arithmetic lets through, beside memory that is in use, is one that the
 * kernel really fills without killing anybody.
 */
int verb_brink(int argc, char **argv)
{
	static const struct sample sample = {.label = "data", .size = 64 * MIB, .data = 64 * MIB};
	struct transport_item items[2] = {
		{.fd = sample_create(&sample, 1), .label = "data"},
		{.fd = memfd_create("hole", MFD_CLOEXEC), .label = "hole"},
	};
	uint64_t low = 0, high = 64ULL << 30, available;

	transport_luo.place(items, 0, 2);
	while (high - low > MIB) {
		uint64_t size = (low + high) / 2;

		CHECK(ftruncate(items[1].fd, (off_t)size) == 0);
		if (transport_luo.check(items, 2, NULL) == 0)
			low = size;
		else
			high = size;
	}
	must(memory_available(&available), NULL, "available");
	CHECK(ftruncate(items[1].fd, (off_t)low) == 0);
	printf("%" PRIu64 " MiB are available, a hole of %" PRIu64 " MiB is accepted\n",
	       available >> 20, low >> 20);
	CHECK(low > available / 2);
	preserve_and_release(items, 2);
	must(memory_available(&available), NULL, "available");
	printf("filled, %" PRIu64 " MiB are left\n", available >> 20);
	sample_verify(&sample, 1, items[0].fd);
	return 0;
}

static uint64_t swapped_now(int fd, uint64_t size)
{
	uint64_t present, swapped;

	must(pages_resident(fd, &present, &swapped), NULL, "resident");
	CHECK(present + swapped == size);
	return swapped;
}

/* In a cgroup whose memory.reclaim is the argument: what is swapped out is seen, and left there. */
int verb_swap(int argc, char **argv)
{
	static const struct sample sample = {.label = "cold", .size = 64 * MIB, .data = 64 * MIB};
	struct transport_item item = {.fd = sample_create(&sample, 1), .label = "cold"};
	_cleanup_close_ int reclaim = argc > 1 ? open(argv[1], O_WRONLY | O_CLOEXEC) : -EBADF;
	struct page_census census;
	uint64_t swapped, offset = 0;

	CHECK(reclaim >= 0);
	CHECK(swapped_now(item.fd, sample.size) == 0);
	if (write(reclaim, "32M", 3) < 0)
		printf("not all was reclaimed: %s\n", strerror(errno));
	swapped = swapped_now(item.fd, sample.size);
	printf("%" PRIu64 " of %" PRIu64 " MiB are swapped out\n", (uint64_t)(swapped / MIB),
	       (uint64_t)(sample.size / MIB));
	CHECK(swapped >= 16 * MIB);
	must(pages_census(item.fd, 0, &census), NULL, "census");
	CHECK(census.swapped * 4096 >= swapped && census.absent == 0);
	must(transport_luo.groom(item.fd, &offset, UINT64_MAX), NULL, "groom");
	CHECK(swapped_now(item.fd, sample.size) >= swapped);
	must(transport_luo.check(&item, 1, NULL), NULL, "check");
	CHECK(swapped_now(item.fd, sample.size) >= swapped);

	preserve_and_release(&item, 1);
	CHECK(swapped_now(item.fd, sample.size) == 0);
	sample_verify(&sample, 1, item.fd);
	printf("preserving swapped it in, unharmed\n");
	return 0;
}
