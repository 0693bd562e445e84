/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CORE_REGION_H
#define KHO_CORE_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kho/core/cleanup.h"

#define REGION_NAME_MAX 255
/* "uid:4294967295/" and a unit's name. */
#define REGION_OWNER_MAX (15 + 255)
#define REGION_REASON_MAX 255
/* A region is smaller than this, in bytes. */
#define REGION_SIZE_MAX (UINT64_C(1) << 40)
#define REGION_DIGEST_SIZE 16
/* "r4294967295" with its NUL. */
#define REGION_STORE_NAME_MAX 12

struct opaque;

/* What is known about the content after an update; Check in io.kho.Handover spells the names. */
enum region_check {
	REGION_NEW,
	REGION_VERIFIED,
	REGION_UNCHECKED,
	REGION_DAMAGED,
	REGION_LOST,
	_REGION_CHECK_MAX,
};

/*
 * A piece of memory that is handed from kernel to kernel, without the memory itself. While a
 * region is part of a handover, its id, owner and name must not change.
 */
struct region {
	uint32_t id; /* unique on the host while the region lives; 0: none given yet */
	char *owner;
	char *name;
	uint64_t size; /* bytes */
	uint32_t memdesc;
	bool required;
	bool claimed;
	uint32_t seals; /* F_SEAL_*, re-applied after an update, as are position and mode */
	uint64_t position;
	uint32_t mode;
	enum region_check check;
	char *reason;	 /* why it is damaged or lost; NULL: nothing to say */
	char *transport; /* what carries it: "luo", "spool"; NULL: nothing does */
	uint32_t session;
	uint64_t token;
	uint64_t page_size; /* of hugetlb memory, bytes; 0: it is none */
	bool kept;	    /* the copy that it came by is still where it was */
	bool has_digest;
	uint8_t digest[REGION_DIGEST_SIZE]; /* XXH3-128, canonical (big-endian) */
	struct opaque *unknown;		    /* what a newer khod wrote: kept and written back */
};

/*
 * Makes a region, with id 0 and everything else empty. *RET is the caller's to free, by
 * region_free. -EINVAL: name or owner is not valid; -ENOMEM.
 */
int region_new(const char *owner, const char *name, struct region **ret);

/* Frees the region, or does nothing with NULL; returns NULL. */
struct region *region_free(struct region *region);
DEFINE_CLEANUP_FUNC(struct region *, region_free)
#define _cleanup_region_ _cleanup_(region_freep)

/*
 * Replaces the reason by a formatted one, cut where it gets longer than REGION_REASON_MAX bytes.
 * -ENOMEM: the old one is kept.
 */
int region_set_reason(struct region *region, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* NULL if a region may have this name, else a sentence that says what is wrong with it. */
const char *region_name_advice(const char *name);

/* Whether this can be an owner: 1 to REGION_OWNER_MAX bytes, no control characters, UTF-8. */
bool region_owner_is_valid(const char *owner);

/* NULL if the value is none of the enum's. */
const char *region_check_to_string(enum region_check check);

/* -EINVAL if the name is none of the enum's, or NULL. */
int region_check_from_string(const char *name);

/* The name of the region's fd in an fd store: "r<id>". Returns BUF. */
const char *region_store_name(uint32_t id, char buf[static REGION_STORE_NAME_MAX]);

/* The other way. -EINVAL if it is not such a name; *RET is then unchanged. */
int region_store_name_parse(const char *name, uint32_t *ret);

#endif
