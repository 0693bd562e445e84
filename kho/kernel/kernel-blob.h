/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_KERNEL_BLOB_H
#define KHO_KERNEL_KERNEL_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kho/core/cleanup.h"

/*
 * What users of KHO in the kernel hand over under their names: flattened device trees whose numbers
 * are in the byte order of the machine, or structures. All of it was written by another kernel, and
 * may be memory that has long been somebody else's: nothing in it is believed.
 */

/* "kexec-metadata": include/linux/kho/abi/kexec_metadata.h */
struct kernel_metadata {
	uint32_t version;
	uint32_t kexec_count; /* since the cold boot */
	char previous_release[65];
};

/* "LUO" of 7.3 and newer: include/linux/kho/abi/luo.h. That of 7.1 is a tree. */
struct kernel_luo {
	char compatible[16];
	uint64_t number;   /* of live updates */
	uint64_t sessions; /* physical address; 0: none */
	uint64_t flbs;	   /* the same */
};

/* One area of reserve_mem=, in bytes. */
struct kernel_reservation {
	char *name;
	uint64_t address, size;
};

/* "memblock": include/linux/kho/abi/memblock.h */
struct kernel_reservations {
	struct kernel_reservation *areas;
	size_t n_areas;
};

/* "kho_test": lib/test_kho.c */
struct kernel_test {
	uint32_t magic;
	uint32_t n_folios;
	uint32_t checksum;
};

/* 0, or -EBADMSG: it is not one of these, or of a version that is not known. */
int kernel_metadata_parse(const void *blob, size_t size, struct kernel_metadata *ret);
int kernel_luo_parse(const void *blob, size_t size, struct kernel_luo *ret);
int kernel_test_parse(const void *blob, size_t size, struct kernel_test *ret);

/* The same, or -ENOMEM. *ret is to be freed by kernel_reservations_done(). */
int kernel_reservations_parse(const void *blob, size_t size, struct kernel_reservations *ret);
void kernel_reservations_done(struct kernel_reservations *reservations);

/* What "compatible" says in the root of a tree; NULL: no tree, or without one line of text there.
 * The caller's to free. */
char *kernel_tree_compatible(const void *blob, size_t size);

/* A tree that is shown only up to some byte. */
struct kernel_cut {
	uint32_t size;	     /* of all of it, in bytes */
	char compatible[32]; /* of the kernel's own tree, "kho-v4"; "": not among what is shown */
};

/* 0, or -EBADMSG: it is whole, or no tree. */
int kernel_cut_parse(const void *blob, size_t size, struct kernel_cut *ret);

/* A node right below the root of the kernel's own tree. */
struct kernel_node {
	bool found;
	uint64_t address; /* physical, of the blob of that name */
	bool has_size;	  /* 6.16 to 6.18 do not say it: all of theirs are trees */
	uint64_t size;	  /* bytes */
};

/* The node called name; 0, -EBADMSG: no tree; -ENOMEM. */
int kernel_tree_node(const void *tree, size_t size, const char *name, struct kernel_node *ret);

#endif
