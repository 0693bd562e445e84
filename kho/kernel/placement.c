/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/placement.h"

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)

/* arch/x86/kernel/kexec-bzimage64.c */
#define MIN_PURGATORY_ADDRESS 0x3000
#define MIN_BOOTPARAM_ADDRESS 0x3000
#define MIN_KERNEL_ADDRESS MIB
#define MIN_INITRD_ADDRESS (16 * MIB)

/*
 * The purgatory is part of the running kernel and shows its size nowhere; this is more than it has
 * been, and decides only where a segment fits by less than that.
 */
#define PURGATORY_SIZE_MAX (32 * KIB)
/* struct boot_params, and the setup_data that follow the command line. */
#define BOOT_PARAMS_SIZE (4 * KIB)
#define SETUP_DATA_SIZE_MAX (1 * KIB)
/* struct kho_scratch: address and size of an area. */
#define SCRATCH_ENTRY_SIZE 16
#define SCRATCH_ALIGN (64 * KIB)

static uint64_t round_up(uint64_t value, uint64_t align)
{
	return value > UINT64_MAX - (align - 1) ? UINT64_MAX / align * align
						: (value + align - 1) / align * align;
}

static uint64_t round_down(uint64_t value, uint64_t align)
{
	return value / align * align;
}

static const struct placement_segment *find_conflict(const struct placement *p, uint64_t address,
						     uint64_t size)
{
	for (size_t i = 0; i < p->n_segments; i++) {
		const struct placement_segment *s = &p->segments[i];

		if (address < s->address + s->size && s->address < address + size)
			return s;
	}
	return NULL;
}

/* kernel/kexec_file.c, locate_mem_hole_top_down */
static int place_in(const struct placement *p, const struct placement_area *area,
		    struct placement_segment *segment)
{
	const struct placement_segment *conflict;
	uint64_t address;

	if (area->size < segment->size || area->start > UINT64_MAX - area->size)
		return -EADDRNOTAVAIL;
	address = area->start + area->size - segment->size;
	for (;;) {
		address = round_down(address, segment->align);
		if (address < area->start || address < segment->min)
			return -EADDRNOTAVAIL;
		conflict = find_conflict(p, address, segment->size);
		if (!conflict)
			break;
		if (conflict->address < segment->size)
			return -EADDRNOTAVAIL;
		address = conflict->address - segment->size;
	}
	segment->address = address;
	return 0;
}

int placement_add(struct placement *p, struct placement_segment segment)
{
	if (p->n_segments == ARRAY_SIZE(p->segments))
		return -E2BIG;
	segment.size = round_up(segment.size, p->page_size);
	if (segment.align < p->page_size)
		segment.align = p->page_size;
	for (size_t i = 0; i < p->n_areas; i++)
		if (place_in(p, &p->areas[i], &segment) == 0) {
			p->segments[p->n_segments++] = segment;
			return 0;
		}
	return -EADDRNOTAVAIL;
}

static bool fits(const struct placement *p, uint64_t pages, uint64_t align, uint64_t min)
{
	struct placement copy = *p;

	return placement_add(&copy, (struct placement_segment){.size = pages * p->page_size,
							       .align = align,
							       .min = min}) == 0;
}

uint64_t placement_largest(const struct placement *p, uint64_t align, uint64_t min)
{
	uint64_t low = 0, high = 0;

	for (size_t i = 0; i < p->n_areas; i++)
		if (p->areas[i].size / p->page_size > high)
			high = p->areas[i].size / p->page_size;
	while (low < high) {
		uint64_t middle = low + (high - low + 1) / 2;

		if (fits(p, middle, align, min))
			low = middle;
		else
			high = middle - 1;
	}
	return low * p->page_size;
}

uint64_t placement_free(const struct placement *p)
{
	uint64_t free_bytes = 0;

	for (size_t i = 0; i < p->n_areas; i++)
		free_bytes += p->areas[i].size;
	for (size_t i = 0; i < p->n_segments; i++)
		free_bytes -= p->segments[i].size;
	return free_bytes;
}

int placement_load_x86(struct placement *p, const struct placement_load *load,
		       struct placement_segment *ret_failed)
{
	uint64_t kernel_min =
		load->pref_address < MIN_KERNEL_ADDRESS ? MIN_KERNEL_ADDRESS : load->pref_address;
	const struct placement_segment segments[] = {
		{.name = "IMA's list", .size = load->ima_size},
		{.name = "the list of scratch areas",
		 .size = p->n_areas * SCRATCH_ENTRY_SIZE,
		 .align = SCRATCH_ALIGN},
		{.name = "the purgatory", .size = PURGATORY_SIZE_MAX, .min = MIN_PURGATORY_ADDRESS},
		{.name = "the command line",
		 .size = BOOT_PARAMS_SIZE + SETUP_DATA_SIZE_MAX + load->cmdline_size +
			 load->efi_map_size,
		 .min = MIN_BOOTPARAM_ADDRESS},
		{.name = "the kernel",
		 .size = load->init_size,
		 .align = load->kernel_alignment,
		 .min = kernel_min},
		{.name = "the initrd", .size = load->initrd_size, .min = MIN_INITRD_ADDRESS},
	};

	for (size_t i = 0; i < ARRAY_SIZE(segments); i++) {
		int r = segments[i].size > 0 ? placement_add(p, segments[i]) : 0;

		if (r < 0) {
			*ret_failed = segments[i];
			return r;
		}
	}
	return 0;
}
