/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_KERNEL_TREE_H
#define KHO_KERNEL_KERNEL_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/generation.h"

enum kernel_side {
	KERNEL_IN,  /* what the previous kernel handed to this one */
	KERNEL_OUT, /* what this one hands to the next */
};

/* What the bytes of a blob are, as far as it is known. */
enum kernel_form {
	KERNEL_FORM_BYTES, /* not known */
	KERNEL_FORM_TREE,  /* a flattened device tree of any kind */
	KERNEL_FORM_CUT,   /* the beginning of one; the kernel does not show the rest */
	KERNEL_FORM_METADATA,
	KERNEL_FORM_LUO,
	KERNEL_FORM_STALE, /* the kernel has freed the memory: the bytes are anybody's */
	_KERNEL_FORM_MAX,
};

/* tree, cut, kexec-metadata, luo, bytes, stale; never NULL. */
const char *kernel_form_name(enum kernel_form form);

struct kernel_blob {
	char *name; /* as a file; "fdt" of the tree itself; fit to be shown */
	enum kernel_form form;
	uint8_t *bytes;
	size_t size;
	int error;	  /* it could not be read: why; bytes is NULL then */
	bool has_address; /* of the blob, as the tree has it */
	uint64_t address; /* physical */
};

struct kernel_scratch {
	uint64_t address, size; /* bytes; an area may have none */
};

/* One side of the kernel's handover, as it shows it to root. */
struct kernel_tree {
	enum kernel_side side;
	enum kho_generation generation;
	struct kernel_blob root;   /* no bytes: the kernel does not show it, see reason */
	struct kernel_blob *blobs; /* sorted by name */
	size_t n_blobs;
	struct kernel_scratch *scratch;
	size_t n_scratch;
	char *reason; /* one line: why root is missing; NULL: it is not */
};

/*
 * Reads that side below the directory root_fd (of /). -ENOENT: nothing at all of it is shown, and
 * then only generation and reason are set. Errors: -ENOMEM, or what reading a directory gave.
 * *ret is to be freed by kernel_tree_done(), after an error too.
 */
int kernel_tree_read(int root_fd, enum kernel_side side, struct kernel_tree *ret);

void kernel_tree_done(struct kernel_tree *tree);

/* NULL if there is none of that name; "fdt" is the root. Borrowed from tree. */
const struct kernel_blob *kernel_tree_find(const struct kernel_tree *tree, const char *name);

/* What kind of bytes a blob called name has. */
enum kernel_form kernel_form_of(enum kernel_side side, const char *name, const void *bytes,
				size_t size);

#endif
