/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/core/slots.h"

#include <endian.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <xxhash.h>

#include "kho/core/cleanup.h"

/* All numbers big-endian, as in the tree itself. */
struct slot_header {
	char magic[8];
	uint64_t generation;
	uint64_t length; /* bytes of the payload, which follows */
	uint8_t reserved[32];
	uint64_t checksum; /* XXH3-64 of the payload, seeded by that of the header up to here */
};
_Static_assert(sizeof(struct slot_header) == SLOT_HEADER_SIZE, "the layout is fixed");

static const char magic[8] = {'K', 'H', 'O', 's', 'l', 'o', 't', '1'};

static size_t slot_capacity(size_t size)
{
	return size / 2 < SLOT_HEADER_SIZE ? 0 : size / 2 - SLOT_HEADER_SIZE;
}

static int check_size(size_t size)
{
	/* Each half must begin where a tree's numbers are aligned. */
	return size % 16 || size < 2 * SLOT_HEADER_SIZE ? -EINVAL : 0;
}

/* Seeded by the header, so that one number vouches for both. */
static uint64_t checksum(const struct slot_header *header, const void *payload, size_t length)
{
	return XXH3_64bits_withSeed(payload, length,
				    XXH3_64bits(header, offsetof(struct slot_header, checksum)));
}

/* Whether the slot can be valid, by its header alone; the header is copied out of the slot. */
static bool read_header(const char *slot, size_t size, struct slot_header *ret)
{
	memcpy(ret, slot, sizeof(*ret));
	return memcmp(ret->magic, magic, sizeof(magic)) == 0 &&
	       be64toh(ret->length) <= slot_capacity(size);
}

static bool slot_is_valid(const char *slot, size_t size, struct slot_header *ret)
{
	return read_header(slot, size, ret) &&
	       checksum(ret, slot + SLOT_HEADER_SIZE, be64toh(ret->length)) ==
		       be64toh(ret->checksum);
}

/* Index of the newest valid slot and its header, or -ENODATA. */
static int newest_slot(const char *memory, size_t size, struct slot_header *ret)
{
	int newest = -ENODATA;

	for (int i = 0; i < 2; i++) {
		struct slot_header header;

		if (!slot_is_valid(memory + i * (size / 2), size, &header))
			continue;
		if (newest < 0 || be64toh(header.generation) > be64toh(ret->generation)) {
			*ret = header;
			newest = i;
		}
	}
	return newest;
}

int slots_read(const void *memory, size_t size, void **ret_blob, size_t *ret_size,
	       uint64_t *ret_generation)
{
	_cleanup_free_ void *blob = NULL;
	struct slot_header header;
	size_t length;
	int slot;

	if (check_size(size) < 0)
		return -EINVAL;
	slot = newest_slot(memory, size, &header);
	if (slot < 0)
		return slot;
	length = be64toh(header.length);
	blob = malloc(length ? length : 1);
	if (!blob)
		return -ENOMEM;
	memcpy(blob, (const char *)memory + slot * (size / 2) + SLOT_HEADER_SIZE, length);
	/* The memory is shared: what counts is that the copy is whole. */
	if (checksum(&header, blob, length) != be64toh(header.checksum))
		return -ENODATA;
	*ret_blob = TAKE_PTR(blob);
	*ret_size = length;
	if (ret_generation)
		*ret_generation = be64toh(header.generation);
	return 0;
}

int slots_write(void *memory, size_t size, uint64_t generation, const void *blob, size_t blob_size)
{
	struct slot_header newest = {0}, header = {0};
	char *slot;
	int index;

	if (check_size(size) < 0)
		return -EINVAL;
	if (blob_size > slot_capacity(size))
		return -ENOSPC;
	index = newest_slot(memory, size, &newest);
	if (index >= 0 && generation <= be64toh(newest.generation))
		return -ESTALE;
	slot = (char *)memory + (index == 0 ? size / 2 : 0);

	memcpy(header.magic, magic, sizeof(magic));
	header.generation = htobe64(generation);
	header.length = htobe64(blob_size);
	header.checksum = htobe64(checksum(&header, blob, blob_size));
	/* A half written payload does not agree with the checksum that still stands before it. */
	memcpy(slot + SLOT_HEADER_SIZE, blob, blob_size);
	atomic_thread_fence(memory_order_seq_cst);
	memcpy(slot, &header, sizeof(header));
	return 0;
}
