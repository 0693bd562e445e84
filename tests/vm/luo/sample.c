/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "tests/vm/luo/luo-test.h"

#define F_SEAL_FIXED (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

const struct sample samples[] = {
	{.label = "plain", .size = 4 * MIB, .data = 4 * MIB, .position = 4711},
	{.label = "sealed", .size = MIB, .data = MIB, .seals = F_SEAL_FIXED},
	{.label = "grow-sealed", .size = MIB, .data = MIB, .seals = F_SEAL_GROW | F_SEAL_SHRINK},
	{.label = "empty"},
	{.label = "empty sealed", .seals = F_SEAL_FIXED},
	{.label = "odd size", .size = 5001, .data = 5001, .position = 5001},
	{.label = "half a hole", .size = 2 * MIB, .data = MIB},
	{.label = "all hole", .size = MIB},
	{.label = "large folios", .size = 9 * MIB, .data = 9 * MIB, .collapse = true},
};

const size_t n_samples = ARRAY_SIZE(samples);

/* xorshift64: not a constant, not a short period, and cheap in an emulated machine. */
static uint64_t pattern(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static uint64_t *pattern_block(const struct sample *sample, uint64_t seed)
{
	size_t words = sample->data / sizeof(uint64_t) + 1;
	uint64_t state = seed * 0x9e3779b97f4a7c15ULL + 1;
	uint64_t *block = malloc(words * sizeof(*block));

	CHECK(block);
	for (size_t i = 0; i < words; i++)
		block[i] = pattern(&state);
	return block;
}

int sample_create(const struct sample *sample, uint64_t seed)
{
	_cleanup_free_ uint64_t *block = pattern_block(sample, seed);
	int fd = memfd_create(sample->label, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	uint64_t offset = 0;

	CHECK(fd >= 0);
	CHECK(ftruncate(fd, (off_t)sample->size) == 0);
	CHECK(pwrite(fd, block, sample->data, 0) == (ssize_t)sample->data);
	if (sample->collapse)
		must(transport_luo.groom(fd, &offset, UINT64_MAX), NULL, "groom");
	CHECK(lseek(fd, (off_t)sample->position, SEEK_SET) == (off_t)sample->position);
	CHECK(fcntl(fd, F_ADD_SEALS, sample->seals) == 0);
	return fd;
}

void sample_verify(const struct sample *sample, uint64_t seed, int fd)
{
	_cleanup_free_ uint64_t *block = pattern_block(sample, seed);
	struct memory_kind kind;
	uint8_t *map;

	CHECK(memory_identify(fd, &kind) == 0);
	CHECK(kind.type == MEMORY_MEMFD);
	CHECK(kind.size == sample->size);
	CHECK(kind.position == sample->position);
	CHECK(kind.seals == sample->seals);
	if (sample->size == 0)
		return;
	map = mmap(NULL, sample->size, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(map != MAP_FAILED);
	if (memcmp(map, block, sample->data) != 0)
		die("%s: the content is not what it was", sample->label);
	for (uint64_t i = sample->data; i < sample->size; i++)
		if (map[i] != 0)
			die("%s: a hole is not zero at %" PRIu64, sample->label, i);
	munmap(map, sample->size);
}

void census_print(const char *label, int fd)
{
	struct page_census census;

	must(pages_census(fd, 0, &census), NULL, "census");
	CHECK(census.readable);
	printf("%s: %" PRIu64 " pages, %" PRIu64 " swapped, %" PRIu64 " absent; folios", label,
	       census.present, census.swapped, census.absent);
	for (unsigned int order = 0; order <= PAGES_ORDER_MAX; order++)
		if (census.folios[order] > 0)
			printf(" %" PRIu64 " of order %u", census.folios[order], order);
	printf("; memdesc %#x\n", census.memdesc);
}
