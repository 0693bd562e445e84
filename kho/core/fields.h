/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CORE_FIELDS_H
#define KHO_CORE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

struct opaque;

/*
 * One table for each kind of node says which property is which member of a struct, and both the
 * writer and the reader of the tree go by it. A property that is 0, NULL or empty is left out
 * unless it is mandatory.
 */
enum field_type {
	FIELD_U32,    /* uint32_t */
	FIELD_U64,    /* uint64_t */
	FIELD_FLAG,   /* bool: there or not, without a value */
	FIELD_TEXT,   /* char *, 1 to max bytes */
	FIELD_TEXTS,  /* char **, at most max strings of 1 to text_max bytes */
	FIELD_BUFFER, /* char[max + 1], a text of exactly max bytes */
	FIELD_NAME,   /* an enum, written by its name */
	FIELD_BYTES,  /* uint8_t[max], there if the bool at there_offset is set */
	FIELD_OTHER,  /* known, but read and written by the caller */
};

struct field {
	const char *name;
	enum field_type type;
	size_t offset;
	bool mandatory;
	size_t max;
	size_t text_max;
	size_t there_offset;
	const char *(*to_string)(unsigned int value);
	int (*from_string)(const char *name);
};

/* Writes all fields of OBJECT; 0, -EINVAL (a value that the format can't hold), -E2BIG. */
int fields_write(void *fdt, const struct field *fields, size_t n, const void *object);

/*
 * Reads the properties of a checked node into OBJECT, which must be zeroed, and those that are not
 * in the table into *UNKNOWN. What was read belongs to OBJECT also on failure. -EBADMSG: a value
 * is malformed or a mandatory property missing; -ENOMEM.
 */
int fields_read(const void *fdt, int node, const struct field *fields, size_t n, void *object,
		struct opaque **unknown);

/* A libfdt error of the sequential writer as an errno. */
int fdt_write_errno(int error);

#endif
