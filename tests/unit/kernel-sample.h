/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_UNIT_KERNEL_SAMPLE_H
#define TESTS_UNIT_KERNEL_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

/* Blobs as kernels write them; each is the caller's to free, its size in *ret_size. */

/* The kernel's own tree, with a node for each name, at addresses 0x1000, 0x2000 ...: as 6.16 to
 * 6.18 have it if blob_size is 0. */
void *sample_root(const char *compatible, const char *const *names, uint64_t blob_size,
		  size_t *ret_size);

/* reserve_mem=4M:4096:khobuf at 0x7d800000 */
void *sample_memblock(size_t *ret_size);

/* Three folios, checksum 0xb2ac0c00 */
void *sample_test(size_t *ret_size);

struct sample_metadata {
	uint32_t version;
	char previous_release[65];
	uint32_t kexec_count;
} __attribute__((packed));

struct sample_luo {
	char compatible[8];
	uint64_t number, sessions, flbs;
} __attribute__((packed));

#endif
