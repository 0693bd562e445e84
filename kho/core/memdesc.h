/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CORE_MEMDESC_H
#define KHO_CORE_MEMDESC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A memory descriptor in the kernel's encoding: what a piece of memory is. Bits 0-3 type, 4-10
 * subtype (misc only), 11 mappable to userspace, 12-17 order; the rest is 0. See kho-memdesc(7).
 */
enum memdesc_type {
	MEMDESC_MISC = 0,
	MEMDESC_BUDDY = 1,
	MEMDESC_FILE = 2,
	MEMDESC_ANON = 3,
	MEMDESC_KSM = 4,
	MEMDESC_SLAB = 5,
	MEMDESC_BUMP = 6,
	MEMDESC_MOVABLE = 7,
	MEMDESC_PTDESC = 8,
	MEMDESC_HWPOISON = 9,
	MEMDESC_PERCPU = 10,
	MEMDESC_ACCTMEM = 11,
	MEMDESC_ZPDESC = 12,
	MEMDESC_MANAGED = 13,
	_MEMDESC_TYPE_MAX,
};

enum memdesc_subtype {
	MEMDESC_NO_SUBTYPE = 0,
	MEMDESC_ZERO_PAGE = 1,
	MEMDESC_UNKNOWN = 2,
	MEMDESC_VMALLOC = 3,
	MEMDESC_GUARD = 4,
	MEMDESC_OFFLINE = 5,
	MEMDESC_KMALLOC_LARGE = 6,
	MEMDESC_EXACT = 7,
	MEMDESC_BRD = 8,
	_MEMDESC_SUBTYPE_MAX,
};

#define MEMDESC_TYPE_MASK UINT32_C(0xf)
#define MEMDESC_SUBTYPE_SHIFT 4
#define MEMDESC_SUBTYPE_MASK UINT32_C(0x7f)
#define MEMDESC_MAPPABLE (UINT32_C(1) << 11)
#define MEMDESC_ORDER_SHIFT 12
#define MEMDESC_ORDER_MASK UINT32_C(0x3f)

/* Room for any descriptor as text, with its NUL. */
#define MEMDESC_TEXT_MAX 64

/* Bits that do not fit their place are cut off; a subtype counts with MEMDESC_MISC alone. */
static inline uint32_t memdesc_encode(enum memdesc_type type, enum memdesc_subtype subtype,
				      bool mappable, unsigned int order)
{
	uint32_t sub = type == MEMDESC_MISC ? (uint32_t)subtype & MEMDESC_SUBTYPE_MASK : 0;

	return ((uint32_t)type & MEMDESC_TYPE_MASK) | sub << MEMDESC_SUBTYPE_SHIFT |
	       (mappable ? MEMDESC_MAPPABLE : 0) |
	       ((uint32_t)order & MEMDESC_ORDER_MASK) << MEMDESC_ORDER_SHIFT;
}

static inline enum memdesc_type memdesc_type(uint32_t memdesc)
{
	return (enum memdesc_type)(memdesc & MEMDESC_TYPE_MASK);
}

static inline enum memdesc_subtype memdesc_subtype(uint32_t memdesc)
{
	return (enum memdesc_subtype)(memdesc >> MEMDESC_SUBTYPE_SHIFT & MEMDESC_SUBTYPE_MASK);
}

static inline bool memdesc_mappable(uint32_t memdesc)
{
	return memdesc & MEMDESC_MAPPABLE;
}

/* Binary logarithm of the number of pages that are one folio. */
static inline unsigned int memdesc_order(uint32_t memdesc)
{
	return memdesc >> MEMDESC_ORDER_SHIFT & MEMDESC_ORDER_MASK;
}

/*
 * Writes the descriptor as text ("file", "file,order=9", "misc/vmalloc,mappable") into BUF and
 * returns BUF. What has no name is written as a number (0x...), so that every value has one text.
 */
const char *memdesc_format(uint32_t memdesc, char buf[static MEMDESC_TEXT_MAX]);

/* The other way. -EINVAL if the text is no descriptor; *RET is then unchanged. */
int memdesc_parse(const char *text, uint32_t *ret);

/*
 * NULL if memory of this kind can be handed to the next kernel, else a sentence that says why not
 * and what to do instead.
 */
const char *memdesc_handover_advice(uint32_t memdesc);

/*
 * Whether memory that its owner declares to be one thing may be what the kernel says it is. Type
 * and subtype count; the order does not, since pages split and merge.
 */
bool memdesc_agree(uint32_t declared, uint32_t actual);

#endif
