/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_UNIT_BTF_SAMPLE_H
#define TESTS_UNIT_BTF_SAMPLE_H

#include "kho/kernel/btf.h"
#include "tests/unit/image-sample.h"

/* Types in BTF, made one after the other: each call but the last returns the id of its type. */
struct btf_sample {
	struct blob types, strings;
	uint32_t n_types;
};

void btf_sample_done(struct btf_sample *sample);
#define _cleanup_btf_sample_ _cleanup_(btf_sample_done)

uint32_t btf_sample_number(struct btf_sample *sample, uint32_t size);

/* A pointer, typedef, const … */
uint32_t btf_sample_reference(struct btf_sample *sample, enum btf_kind kind, uint32_t to);
uint32_t btf_sample_array(struct btf_sample *sample, uint32_t of, uint32_t n);

/* A struct or union of n members, which follow one by one; or an enum. */
uint32_t btf_sample_begin(struct btf_sample *sample, enum btf_kind kind, const char *name,
			  uint32_t size, uint32_t n);
void btf_sample_member(struct btf_sample *sample, const char *name, uint32_t type, uint32_t bits);
void btf_sample_constant(struct btf_sample *sample, const char *name, uint32_t value);

/* A type of a kind that is not known yet, with so many bytes more. */
void btf_sample_unknown(struct btf_sample *sample, unsigned int kind, uint32_t more);

/* Appends it all; with the sizes of n_kinds kinds, if any. */
void btf_sample_finish(const struct btf_sample *sample, const uint8_t (*kinds)[4], size_t n_kinds,
		       struct blob *to);

/* The same as one structure of that name, of numbers with 8 bytes each. */
void sample_btf(struct blob *to, const char *name, const char *const *members, size_t n);

#endif
