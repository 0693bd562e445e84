/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <endian.h>
#include <string.h>

#include "kho/core/cleanup.h"
#include "tests/unit/btf-sample.h"

void btf_sample_done(struct btf_sample *sample)
{
	blob_done(&sample->types);
	blob_done(&sample->strings);
}

static void add32(struct blob *to, uint32_t value)
{
	value = htole32(value);
	blob_add(to, &value, sizeof(value));
}

static uint32_t add_name(struct btf_sample *sample, const char *name)
{
	uint32_t at;

	if (sample->strings.size == 0)
		blob_fill(&sample->strings, 0, 1);
	at = (uint32_t)sample->strings.size;
	if (!*name)
		return 0;
	blob_add(&sample->strings, name, strlen(name) + 1);
	return at;
}

static uint32_t add_type(struct btf_sample *sample, const char *name, unsigned int kind, uint32_t n,
			 uint32_t size)
{
	add32(&sample->types, add_name(sample, name));
	add32(&sample->types, kind << 24 | n);
	add32(&sample->types, size);
	return ++sample->n_types;
}

uint32_t btf_sample_number(struct btf_sample *sample, uint32_t size)
{
	uint32_t id = add_type(sample, "number", BTF_INT, 0, size);

	add32(&sample->types, size * 8);
	return id;
}

uint32_t btf_sample_reference(struct btf_sample *sample, enum btf_kind kind, uint32_t to)
{
	return add_type(sample, "", kind, 0, to);
}

uint32_t btf_sample_array(struct btf_sample *sample, uint32_t of, uint32_t n)
{
	uint32_t id = add_type(sample, "", BTF_ARRAY, 0, 0);

	add32(&sample->types, of);
	add32(&sample->types, of);
	add32(&sample->types, n);
	return id;
}

uint32_t btf_sample_begin(struct btf_sample *sample, enum btf_kind kind, const char *name,
			  uint32_t size, uint32_t n)
{
	return add_type(sample, name, kind, n, size);
}

void btf_sample_member(struct btf_sample *sample, const char *name, uint32_t type, uint32_t bits)
{
	add32(&sample->types, add_name(sample, name));
	add32(&sample->types, type);
	add32(&sample->types, bits);
}

void btf_sample_constant(struct btf_sample *sample, const char *name, uint32_t value)
{
	add32(&sample->types, add_name(sample, name));
	add32(&sample->types, value);
}

void btf_sample_unknown(struct btf_sample *sample, unsigned int kind, uint32_t more)
{
	add_type(sample, "", kind, 0, 0);
	blob_fill(&sample->types, 0xff, more);
}

void btf_sample_finish(const struct btf_sample *sample, const uint8_t (*kinds)[4], size_t n_kinds,
		       struct blob *to)
{
	uint32_t kinds_size = (uint32_t)n_kinds * sizeof(*kinds);

	blob_add(to, BTF_MARK, BTF_MARK_SIZE);
	add32(to, kinds ? 32 : 24);
	add32(to, 0);
	add32(to, (uint32_t)sample->types.size);
	add32(to, (uint32_t)sample->types.size + kinds_size);
	add32(to, (uint32_t)sample->strings.size);
	if (kinds) {
		add32(to, (uint32_t)sample->types.size);
		add32(to, kinds_size);
	}
	blob_add(to, sample->types.data, sample->types.size);
	if (kinds)
		blob_add(to, kinds, kinds_size);
	blob_add(to, sample->strings.data, sample->strings.size);
}

void sample_btf(struct blob *to, const char *name, const char *const *members, size_t n)
{
	_cleanup_btf_sample_ struct btf_sample sample = {};
	uint32_t number = btf_sample_number(&sample, 8);

	btf_sample_begin(&sample, BTF_STRUCT, name, (uint32_t)n * 8, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		btf_sample_member(&sample, members[i], number, (uint32_t)i * 64);
	btf_sample_finish(&sample, NULL, 0, to);
}
