/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_PLACEMENT_H
#define KHO_KERNEL_PLACEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Where kexec_file_load puts the parts of the next kernel: with KHO, into the scratch areas alone
 * (kernel/liveupdate/kexec_handover.c, kho_locate_mem_hole), and the next kernel takes its own
 * early memory from what they leave. Numbers only: bytes and physical addresses.
 */
struct placement_area {
	uint64_t start, size;
};

struct placement_segment {
	const char *name; /* for people; constant */
	uint64_t size;
	uint64_t align;	  /* 0: a page */
	uint64_t min;	  /* the lowest address that will do */
	uint64_t address; /* where it went */
};

#define PLACEMENT_SEGMENTS_MAX 16

struct placement {
	const struct placement_area *areas; /* in the kernel's order; borrowed */
	size_t n_areas;
	uint64_t page_size; /* bytes */
	struct placement_segment segments[PLACEMENT_SEGMENTS_MAX];
	size_t n_segments;
};

/*
 * Puts one more segment where the kernel would: the first area in which it fits, as high as it
 * goes. Returns 0; -EADDRNOTAVAIL if it fits nowhere; -E2BIG, too many segments.
 */
int placement_add(struct placement *placement, struct placement_segment segment);

/* The largest segment that placement_add() would take now, with this alignment and lowest address.
 */
uint64_t placement_largest(const struct placement *placement, uint64_t align, uint64_t min);

/* Bytes of all areas that no segment has. */
uint64_t placement_free(const struct placement *placement);

/* What is to be loaded on x86 (arch/x86/kernel/kexec-bzimage64.c). */
struct placement_load {
	uint64_t ima_size;     /* of IMA's measurement list; 0: it is not handed over */
	uint64_t cmdline_size; /* with its NUL */
	uint64_t efi_map_size; /* 0: no EFI */
	uint64_t init_size, kernel_alignment, pref_address; /* of the image's header */
	uint64_t initrd_size;				    /* 0: none */
};

/*
 * Puts all of it, in the kernel's order. Returns 0, or -EADDRNOTAVAIL with the segment that fits
 * nowhere in *ret_failed.
 */
int placement_load_x86(struct placement *placement, const struct placement_load *load,
		       struct placement_segment *ret_failed);

#endif
