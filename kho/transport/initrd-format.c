/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/transport/initrd-format.h"

#include <endian.h>
#include <inttypes.h>
#include <string.h>
#include <xxhash.h>

#include "kho/core/cleanup.h"
#include "kho/core/region.h"

#define INDEX_MAGIC "KHOINDEX"
#define INDEX_VERSION 1

struct index_head {
	char magic[8];
	uint32_t version;
	uint32_t reserved;
	uint64_t size, page_size;
};

void initrd_index_name(char buf[static INITRD_NAME_MAX], uint32_t id)
{
	snprintf(buf, INITRD_NAME_MAX, "%" PRIu32 ".index", id);
}

void initrd_slice_name(char buf[static INITRD_NAME_MAX], uint32_t id, uint64_t number)
{
	snprintf(buf, INITRD_NAME_MAX, "%" PRIu32 ".%" PRIu64, id, number);
}

int initrd_index_init(struct initrd_index *index, uint64_t size, uint64_t page_size)
{
	*index = (struct initrd_index){
		.size = size, .page_size = page_size, .n_slices = copy_slices(size)};
	index->digests = calloc(index->n_slices + 1, sizeof(*index->digests));
	return index->digests ? 0 : -ENOMEM;
}

void initrd_index_done(struct initrd_index *index)
{
	free(index->digests);
	*index = (struct initrd_index){};
}

static size_t index_size(uint64_t n_slices)
{
	return sizeof(struct index_head) + n_slices * COPY_DIGEST_SIZE + sizeof(uint64_t);
}

static uint64_t index_checksum(const void *data, size_t size)
{
	return htole64(XXH3_64bits(data, size - sizeof(uint64_t)));
}

int initrd_index_build(const struct initrd_index *index, void **ret, size_t *ret_size)
{
	struct index_head head = {.version = htole32(INDEX_VERSION),
				  .size = htole64(index->size),
				  .page_size = htole64(index->page_size)};
	size_t size = index_size(index->n_slices);
	uint8_t *data = calloc(1, size);
	uint64_t checksum;

	if (!data)
		return -ENOMEM;
	memcpy(head.magic, INDEX_MAGIC, sizeof(head.magic));
	memcpy(data, &head, sizeof(head));
	memcpy(data + sizeof(head), index->digests, index->n_slices * COPY_DIGEST_SIZE);
	checksum = index_checksum(data, size);
	memcpy(data + size - sizeof(checksum), &checksum, sizeof(checksum));
	*ret = data;
	*ret_size = size;
	return 0;
}

int initrd_index_parse(const void *data, size_t size, struct initrd_index *ret)
{
	struct index_head head;
	uint64_t checksum, memory_size;
	int r;

	if (size < index_size(0))
		return -EBADMSG;
	memcpy(&head, data, sizeof(head));
	checksum = index_checksum(data, size);
	if (memcmp(head.magic, INDEX_MAGIC, sizeof(head.magic)) != 0 ||
	    memcmp((const uint8_t *)data + size - sizeof(checksum), &checksum, sizeof(checksum)))
		return -EBADMSG;
	if (le32toh(head.version) != INDEX_VERSION)
		return -EPROTONOSUPPORT;
	memory_size = le64toh(head.size);
	if (memory_size >= REGION_SIZE_MAX || index_size(copy_slices(memory_size)) != size)
		return -EBADMSG;
	r = initrd_index_init(ret, memory_size, le64toh(head.page_size));
	if (r >= 0)
		memcpy(ret->digests, (const uint8_t *)data + sizeof(head),
		       ret->n_slices * COPY_DIGEST_SIZE);
	return r;
}

static size_t head_size(uint32_t n_runs)
{
	return offsetof(struct initrd_slice_head, runs) +
	       n_runs * sizeof(((struct initrd_slice_head *)NULL)->runs[0]);
}

size_t initrd_slice_head_build(const struct copy_slice *slice, struct initrd_slice_head *ret)
{
	ret->n_runs = htole32((uint32_t)slice->n_runs);
	for (size_t i = 0; i < slice->n_runs; i++) {
		ret->runs[i].offset = htole32(slice->runs[i].offset);
		ret->runs[i].length = htole32(slice->runs[i].length);
	}
	return head_size((uint32_t)slice->n_runs);
}

int initrd_slice_parse(const void *file, size_t size, struct copy_slice *slice)
{
	const uint8_t *bytes = file;
	struct initrd_slice_head head;
	size_t n_runs, at;

	if (size < head_size(0))
		return -EBADMSG;
	memcpy(&head, file, size < sizeof(head) ? size : sizeof(head));
	n_runs = le32toh(head.n_runs);
	if (n_runs > COPY_RUNS_MAX || size < head_size((uint32_t)n_runs))
		return -EBADMSG;
	at = head_size((uint32_t)n_runs);
	for (size_t i = 0; i < n_runs; i++) {
		uint32_t offset = le32toh(head.runs[i].offset),
			 length = le32toh(head.runs[i].length);

		if (length > size - at || offset > slice->length || length > slice->length - offset)
			return -EBADMSG;
		memcpy(slice->data + offset, bytes + at, length);
		at += length;
	}
	return at == size ? 0 : -EBADMSG;
}
