/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CORE_TREE_H
#define KHO_CORE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "kho/core/cleanup.h"
#include "kho/core/region.h"
#include "kho/core/state.h"

#define HANDOVER_COMPATIBLE "kho-tools,handover-v1"
#define HANDOVER_REGIONS_MAX 4096
#define HANDOVER_PROBLEMS_MAX 1024
#define HANDOVER_PROBLEM_MAX 511
/* Bytes of a flattened tree: what a slot (kho/core/slots.h) takes. */
#define HANDOVER_SIZE_MAX ((size_t)(8 << 20) - 64)

struct opaque;

/* Unknown properties and nodes in an owner's node. */
struct owner_extra {
	char *owner;
	struct opaque *unknown;
};

/* Everything that khod knows: the registry of regions and the update in progress. */
struct handover {
	uint64_t generation; /* grows with every change that is written */
	char *update_id;     /* NULL: no update in progress */
	enum update_state state;
	char boot_id[37]; /* of the kernel that wrote it; "": not known */
	uint32_t kexec_count;
	char *release; /* uname -r of the kernel that wrote it */
	char *next_release;
	char *image;		  /* path of the next kernel */
	uint64_t digest_size_max; /* bytes; of larger regions no digest is taken at the freeze */
	bool forced;
	char *transport;    /* what takes this tree along: "luo"; NULL: luo, or no update yet */
	char *spool;	    /* directory that this update's copies are in; NULL: none are on disk */
	uint64_t copy_size; /* bytes that were copied */
	uint64_t copy_usec_estimated; /* how long copying would take, as it was expected */
	uint64_t copy_usec;	      /* how long it took */
	/* Where copies that arrived still lie, directory and update, until their regions are
	 * claimed. NULL: nowhere. */
	char *kept_spool;
	char *kept_update;
	char *result;	 /* restored, incomplete, lost; NULL: no update has been through */
	char *shutdown;	 /* how the machine went down, where that loses all memory; NULL: not so */
	char **problems; /* NULL-terminated; NULL: none */
	uint64_t moments[_MOMENT_MAX]; /* microseconds since 1970, CLOCK_REALTIME; 0: not yet */
	uint32_t next_region_id;

	/* Sorted by owner, then name (strcmp). Read-only but for handover_add_region and _remove.
	 */
	struct region **regions;
	size_t n_regions;

	/* Private. */
	struct region **by_id;
	size_t n_allocated;
	struct opaque *unknown;
	struct opaque *unknown_in_timeline;
	struct opaque *unknown_in_regions;
	struct owner_extra *owner_extras;
	size_t n_owner_extras;
};

/* An empty, idle one, the caller's to free by handover_free; NULL: out of memory. */
struct handover *handover_new(void);

/* Frees it with all its regions, or does nothing with NULL; returns NULL. */
struct handover *handover_free(struct handover *handover);
DEFINE_CLEANUP_FUNC(struct handover *, handover_free)
#define _cleanup_handover_ _cleanup_(handover_freep)

/*
 * Adds a region; one with id 0 is given the next id. Only on success it belongs to the handover.
 * -EEXIST: the owner has a region of that name; -ENOTUNIQ: the id is taken; -ENOSPC: there are
 * HANDOVER_REGIONS_MAX; -EOVERFLOW: all ids were given out; -ENOMEM.
 */
int handover_add_region(struct handover *handover, struct region *region);

/* NULL if there is none. The region stays the handover's. */
struct region *handover_find(const struct handover *handover, const char *owner, const char *name);
struct region *handover_find_id(const struct handover *handover, uint32_t id);

/* Takes the region, which must be the handover's, out of it; it belongs to the caller from here. */
struct region *handover_remove(struct handover *handover, struct region *region);

/* Makes the region, which must be the handover's, another owner's. Errors: -EINVAL no owner;
 * -EEXIST that one has a region of this name; -ENOMEM. Nothing has changed then.
 */
int handover_give(struct handover *handover, struct region *region, const char *owner);

/*
 * Adds a line to problems, cut where it gets longer than HANDOVER_PROBLEM_MAX bytes. -ENOSPC:
 * there are HANDOVER_PROBLEMS_MAX; -EINVAL: an empty line; -ENOMEM.
 */
int handover_add_problem(struct handover *handover, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Empties problems. */
void handover_clear_problems(struct handover *handover);

/*
 * Writes the handover as a flattened device tree, kho-tree(5). *RET_BLOB is the caller's to free.
 * -E2BIG: larger than HANDOVER_SIZE_MAX; -EINVAL: a string is too long or not UTF-8, or another
 * field out of range; -ENOMEM.
 */
int handover_build(const struct handover *handover, void **ret_blob, size_t *ret_size);

/*
 * Reads a flattened device tree and believes nothing in it. SIZE may exceed the tree. *RET is the
 * caller's to free by handover_free. -EBADMSG: malformed, or over a limit; -EPROTONOSUPPORT:
 * written by a version that this one must not read; -ENOMEM.
 */
int handover_parse(const void *blob, size_t size, struct handover **ret);

/*
 * Prints any flattened device tree as device tree source (dtc reads it back). -EBADMSG: malformed;
 * -EIO: could not be written; -ENOMEM.
 */
int handover_print_dts(FILE *f, const void *blob, size_t size);

/*
 * The same for a tree whose numbers are in the byte order of this machine, as the kernel's are:
 * numbers of 4 and 8 bytes stand in a comment behind the cells, which dtc reads back.
 */
int native_print_dts(FILE *f, const void *blob, size_t size);

#endif
