/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CORE_SLOTS_H
#define KHO_CORE_SLOTS_H

#include <stddef.h>
#include <stdint.h>

/*
 * A buffer of fixed size that can be written at any moment and never holds half a tree: two slots,
 * one in each half of the buffer, each with a header of SLOT_HEADER_SIZE bytes (magic, generation,
 * length, checksum; see kho-tree(5)). The newer valid one counts; the other one is written.
 */
#define SLOT_HEADER_SIZE 64
/* Bytes of the memfd that holds the tree: two slots, each for HANDOVER_SIZE_MAX. */
#define SLOTS_SIZE ((size_t)16 << 20)

/*
 * Copies the payload of the newest valid slot. MEMORY is all of the buffer, SIZE bytes. *RET_BLOB
 * is the caller's to free; RET_GENERATION may be NULL. -ENODATA: no slot is valid; -EINVAL: no
 * buffer has this size; -ENOMEM.
 */
int slots_read(const void *memory, size_t size, void **ret_blob, size_t *ret_size,
	       uint64_t *ret_generation);

/*
 * Writes the slot that is not the newest valid one, header last: whoever reads after this was
 * interrupted sees what was there before. -ESTALE: generation is not greater than the newest
 * one's; -ENOSPC: the payload does not fit; -EINVAL: no buffer has this size.
 */
int slots_write(void *memory, size_t size, uint64_t generation, const void *blob, size_t blob_size);

#endif
