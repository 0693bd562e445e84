/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_BTF_H
#define KHO_KERNEL_BTF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The types of a kernel in the BPF Type Format, Documentation/bpf/btf.rst, little-endian. Nothing
 * in it is believed: each type and name is within the bytes, and a reference to what is not there
 * is one to void.
 */
struct btf {
	const uint8_t *types; /* both within the bytes given */
	const char *strings;
	size_t strings_size;
	uint32_t *offsets; /* in types; of the type with that id, from 1 on */
	uint32_t n_types;  /* with void, which is 0 */
};

enum btf_kind {
	BTF_VOID,
	BTF_INT,
	BTF_PTR,
	BTF_ARRAY,
	BTF_STRUCT,
	BTF_UNION,
	BTF_ENUM,
	BTF_FWD,
	BTF_TYPEDEF,
	BTF_VOLATILE,
	BTF_CONST,
	BTF_RESTRICT,
	BTF_FUNC,
	BTF_FUNC_PROTO,
	BTF_VAR,
	BTF_DATASEC,
	BTF_FLOAT,
	BTF_DECL_TAG,
	BTF_TYPE_TAG,
	BTF_ENUM64,
	_BTF_KIND_MAX,
};

struct btf_type {
	enum btf_kind kind; /* those that are not known are BTF_VOID */
	bool flag;
	const char *name; /* "": none */
	uint32_t n;	  /* members, enumerators */
	uint32_t size;	  /* bytes; or the id of the type that it refers to */
	const uint8_t *rest;
};

/* What begins with these is a header of BTF. BTF_HEADER_MIN bytes can be read. */
#define BTF_MARK "\x9f\xeb\x01\x00"
#define BTF_MARK_SIZE 4
#define BTF_HEADER_MIN 24
#define BTF_MAX (64u << 20)

/* The size of it all, as the header says, in bytes; 0: it is none, or has more than BTF_MAX. */
size_t btf_size(const uint8_t *header);

/*
 * Takes it as the types of a kernel; data stays the caller's, and has to stay. -EBADMSG; -ENOTSUP
 * there is a kind of type in it that is not known, and how long it is neither; -ENOMEM. Free by
 * btf_done().
 */
int btf_open(const void *data, size_t size, struct btf *ret);
void btf_done(struct btf *btf);

/* The type of that id. */
struct btf_type btf_type(const struct btf *btf, uint32_t id);

/* The name at that place; "" if there is none. */
const char *btf_name(const struct btf *btf, uint32_t at);

#endif
