/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/transport/copy-slice.h"

#include <endian.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <xxhash.h>

#include "kho/transport/copy.h"

struct copy_slice *copy_slice_new(void)
{
	_cleanup_(copy_slice_freep) struct copy_slice *slice = calloc(1, sizeof(*slice));
	void *data;

	if (!slice)
		return NULL;
	data = mmap(NULL, COPY_SLICE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	if (data == MAP_FAILED)
		return NULL;
	slice->data = data;
	slice->state = XXH3_createState();
	return slice->state ? TAKE_PTR(slice) : NULL;
}

struct copy_slice *copy_slice_free(struct copy_slice *slice)
{
	if (!slice)
		return NULL;
	if (slice->data)
		munmap(slice->data, COPY_SLICE_SIZE);
	XXH3_freeState(slice->state);
	free(slice);
	return NULL;
}

uint64_t copy_slices(uint64_t size)
{
	return size / COPY_SLICE_SIZE + (size % COPY_SLICE_SIZE != 0);
}

size_t copy_slice_length(uint64_t size, uint64_t number)
{
	uint64_t left = size - number * COPY_SLICE_SIZE;

	return left < COPY_SLICE_SIZE ? left : COPY_SLICE_SIZE;
}

static bool is_zero(const uint8_t *data, size_t length)
{
	return data[0] == 0 && !memcmp(data, data + 1, length - 1);
}

static size_t page_length(const struct copy_slice *slice, size_t at)
{
	size_t left = slice->length - at;

	return left < COPY_PAGE_SIZE ? left : COPY_PAGE_SIZE;
}

static void find_runs(struct copy_slice *slice)
{
	struct copy_run *run = NULL;

	slice->n_runs = slice->n_bytes = 0;
	for (size_t at = 0; at < slice->length; at += COPY_PAGE_SIZE) {
		size_t length = page_length(slice, at);

		if (is_zero(slice->data + at, length)) {
			run = NULL;
			continue;
		}
		if (!run) {
			run = &slice->runs[slice->n_runs++];
			*run = (struct copy_run){.offset = at};
		}
		run->length += length;
		slice->n_bytes += length;
	}
}

/* Where they stand counts as much as what they are. */
static void digest_runs(struct copy_slice *slice)
{
	XXH128_canonical_t canonical;

	memset(slice->digest, 0, sizeof(slice->digest));
	if (slice->n_runs == 0)
		return;
	XXH3_128bits_reset(slice->state);
	for (size_t i = 0; i < slice->n_runs; i++) {
		const struct copy_run *run = &slice->runs[i];
		uint64_t head[2] = {htole64(slice->number * COPY_SLICE_SIZE + run->offset),
				    htole64(run->length)};

		XXH3_128bits_update(slice->state, head, sizeof(head));
		XXH3_128bits_update(slice->state, slice->data + run->offset, run->length);
	}
	XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(slice->state));
	memcpy(slice->digest, canonical.digest, sizeof(slice->digest));
}

void copy_slice_scan(struct copy_slice *slice)
{
	find_runs(slice);
	digest_runs(slice);
}
