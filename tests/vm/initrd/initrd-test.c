/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kexec/archive.h"
#include "kho/core/cleanup.h"
#include "kho/transport/initrd.h"

/*
 * initrd-test load MIB INITRD|- KEXEC-TOOLS...: has kexec-tools load memory of known content.
 * initrd-test take MIB: in the next kernel, compares it with what it should be.
 */
#define UPDATE_ID "0123456789abcdef"
#define N_REGIONS 3
#define MIB ((uint64_t)1 << 20)
#define PAGE 4096

static int fail(const char *what, int error, const char *message)
{
	fprintf(stderr, "%s: %s\n", what, message ? message : strerror(-error));
	return 1;
}

/* A region: one of seven pages is left a hole. */
static int fill(int fd, uint32_t id, uint64_t size)
{
	uint64_t page[PAGE / sizeof(uint64_t)], x = id * UINT64_C(0x9e3779b97f4a7c15);

	for (uint64_t at = 0; at < size; at += PAGE) {
		if (at / PAGE % 7 == id)
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(page); i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			page[i] = x;
		}
		if (pwrite(fd, page, PAGE, (off_t)at) != PAGE)
			return -errno;
	}
	return 0;
}

static int sample_new(uint32_t id, uint64_t size)
{
	int fd = copy_memory_new(size, 0), r;

	if (fd < 0)
		return fd;
	r = fill(fd, id, size);
	if (r < 0)
		close(fd);
	return r < 0 ? r : fd;
}

static int make_archive(uint64_t size, int *ret, char **ret_message)
{
	struct carrier_load *load;
	int r = carrier_initrd.create(NULL, UPDATE_ID, &load, ret_message);

	for (uint32_t id = 1; r >= 0 && id <= N_REGIONS; id++) {
		struct carrier_item item = {
			.id = id, .fd = sample_new(id, size), .size = size, .label = "sample"};
		struct copy_progress progress = {};

		r = item.fd < 0 ? item.fd : carrier_initrd.put(load, &item, &progress, ret_message);
		safe_close(item.fd);
	}
	if (r >= 0)
		r = carrier_initrd.seal(load, "tree", 4, ret_message);
	if (r >= 0)
		*ret = initrd_take_archive(load);
	return r;
}

static int load(uint64_t size, const char *initrd, int argc, char **argv)
{
	char **arguments = calloc((size_t)argc + 2, sizeof(*arguments));
	char *message = NULL, *option;
	int memory, r;

	r = make_archive(size, &memory, &message);
	if (r >= 0)
		r = archive_complete(memory, initrd, &message);
	if (r >= 0)
		r = archive_freeze(&memory);
	if (r < 0 || asprintf(&option, "--initrd=/proc/self/fd/%d", r) < 0)
		return fail("load", r, message);
	memcpy(arguments, argv, (size_t)argc * sizeof(*argv));
	arguments[argc] = option;
	execv(arguments[0], arguments);
	return fail(argv[0], -errno, NULL);
}

static int compare(uint32_t id, int fd, uint64_t size)
{
	int expected = sample_new(id, size), r;
	void *a = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0),
	     *b = mmap(NULL, size, PROT_READ, MAP_SHARED, expected, 0);

	r = memcmp(a, b, size);
	munmap(a, size);
	munmap(b, size);
	close(expected);
	return r;
}

static int take(uint64_t size)
{
	struct carrier_load *arrived;
	char *message = NULL;
	int r = carrier_initrd.open(NULL, UPDATE_ID, &arrived, &message);

	if (r < 0)
		return fail("open", r, message);
	for (uint32_t id = 1; id <= N_REGIONS; id++) {
		struct carrier_item item = {
			.id = id, .fd = -EBADF, .size = size, .label = "sample"};
		struct copy_progress progress = {};

		r = carrier_initrd.get(arrived, &item, &progress, &message);
		if (r < 0)
			return fail("get", r, message);
		if (compare(id, item.fd, size) != 0)
			return fail("get", 0, "another content");
		close(item.fd);
	}
	carrier_initrd.close(arrived);
	r = carrier_initrd.discard(NULL, UPDATE_ID);
	return r < 0 ? fail("discard", r, NULL) : 0;
}

int main(int argc, char **argv)
{
	uint64_t size;

	if (argc < 3)
		return fail(argv[0], 0, "usage: load MIB INITRD|- PROGRAM ARGUMENT..., take MIB");
	size = strtoull(argv[2], NULL, 10) * MIB;
	if (strcmp(argv[1], "take") == 0)
		return take(size);
	return load(size, strcmp(argv[3], "-") ? argv[3] : NULL, argc - 4, argv + 4);
}
