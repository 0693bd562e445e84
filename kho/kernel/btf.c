/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/btf.h"
#include "kho/kernel/span.h"

/* struct btf_header, include/uapi/linux/btf.h: since 7.2 with the sizes of all kinds of types. */
#define HEADER_LENGTH 4
#define TYPES_OFFSET 8
#define TYPES_LENGTH 12
#define STRINGS_OFFSET 16
#define STRINGS_LENGTH 20
#define KINDS_OFFSET 24
#define KINDS_LENGTH 28
#define HEADER_WITH_KINDS 32
#define HEADER_MAX 256

#define TYPE_SIZE 12 /* name, info, size: all u32 */
#define KIND_ENTRY 4 /* struct btf_layout: sizes of what follows the type, and of each element */
#define TYPES_MAX 2000000u

struct section {
	const uint8_t *bytes;
	size_t size;
};

/* What follows a type: so many bytes, and so many for each of its elements. */
static const struct extent {
	uint8_t once, each;
} known_extents[_BTF_KIND_MAX] = {
	[BTF_INT] = {4, 0},	[BTF_ARRAY] = {12, 0},	 [BTF_STRUCT] = {0, 12},
	[BTF_UNION] = {0, 12},	[BTF_ENUM] = {0, 8},	 [BTF_FUNC_PROTO] = {0, 8},
	[BTF_VAR] = {4, 0},	[BTF_DATASEC] = {0, 12}, [BTF_DECL_TAG] = {4, 0},
	[BTF_ENUM64] = {0, 12},
};

static uint64_t end_of(const uint8_t *header, size_t offset)
{
	return (uint64_t)get_le32(header + offset) + get_le32(header + offset + 4);
}

size_t btf_size(const uint8_t *header)
{
	uint32_t length = get_le32(header + HEADER_LENGTH);
	uint64_t types = end_of(header, TYPES_OFFSET), strings = end_of(header, STRINGS_OFFSET);
	uint64_t size = length + (types > strings ? types : strings);

	/* The kernel and pahole have the types right behind the header. */
	if (memcmp(header, BTF_MARK, BTF_MARK_SIZE) != 0 || length < BTF_HEADER_MIN ||
	    length > HEADER_MAX || get_le32(header + TYPES_OFFSET) != 0 || size > BTF_MAX)
		return 0;
	return (size_t)size;
}

static int get_section(const uint8_t *data, size_t size, size_t offset, struct section *ret)
{
	uint32_t header = get_le32(data + HEADER_LENGTH), at = get_le32(data + offset);

	if (header > size || end_of(data, offset) > size - header)
		return -EBADMSG;
	*ret = (struct section){.bytes = data + header + at, .size = get_le32(data + offset + 4)};
	return 0;
}

/* The bytes of a type of that kind with n elements; 0: not known. */
static uint64_t extent_of(unsigned int kind, uint32_t n, const struct section *kinds)
{
	struct extent extent;

	if (kind > BTF_VOID && kind < _BTF_KIND_MAX)
		extent = known_extents[kind];
	else if (kind > BTF_VOID && ((size_t)kind + 1) * KIND_ENTRY <= kinds->size)
		extent = (struct extent){kinds->bytes[kind * KIND_ENTRY],
					 kinds->bytes[kind * KIND_ENTRY + 1]};
	else
		return 0;
	return TYPE_SIZE + extent.once + (uint64_t)extent.each * n;
}

static unsigned int kind_of(uint32_t info)
{
	return info >> 24 & 0x7f;
}

static uint32_t n_of(uint32_t info)
{
	return info & 0xffffff;
}

static int add_offset(struct btf *btf, uint32_t offset, uint32_t *room)
{
	if (btf->n_types >= TYPES_MAX)
		return -EBADMSG;
	if (btf->n_types == *room) {
		uint32_t more = *room > 0 ? 2 * *room : 1024;
		uint32_t *grown = reallocarray(btf->offsets, more, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		btf->offsets = grown;
		*room = more;
	}
	btf->offsets[btf->n_types++] = offset;
	return 0;
}

static int find_types(struct btf *btf, const struct section *types, const struct section *kinds)
{
	uint32_t room = 0;
	size_t at = 0;
	int r = add_offset(btf, 0, &room);

	while (r == 0 && at < types->size) {
		uint32_t info;
		uint64_t extent;

		if (types->size - at < TYPE_SIZE)
			return -EBADMSG;
		info = get_le32(types->bytes + at + 4);
		extent = extent_of(kind_of(info), n_of(info), kinds);
		if (extent == 0)
			return -ENOTSUP;
		if (extent > types->size - at)
			return -EBADMSG;
		r = add_offset(btf, (uint32_t)at, &room);
		at += extent;
	}
	return r;
}

int btf_open(const void *data, size_t size, struct btf *ret)
{
	_cleanup_(btf_done) struct btf btf = {};
	struct section types, strings, kinds = {};
	int r;

	if (size < BTF_HEADER_MIN || btf_size(data) == 0)
		return -EBADMSG;
	r = get_section(data, size, TYPES_OFFSET, &types);
	if (r == 0)
		r = get_section(data, size, STRINGS_OFFSET, &strings);
	if (r == 0 && size >= HEADER_WITH_KINDS &&
	    get_le32((const uint8_t *)data + HEADER_LENGTH) >= HEADER_WITH_KINDS)
		r = get_section(data, size, KINDS_OFFSET, &kinds);
	if (r < 0)
		return r;
	if (strings.size == 0 || strings.bytes[strings.size - 1] != '\0')
		return -EBADMSG;
	btf.types = types.bytes;
	btf.strings = (const char *)strings.bytes;
	btf.strings_size = strings.size;
	r = find_types(&btf, &types, &kinds);
	if (r < 0)
		return r;
	*ret = btf;
	btf = (struct btf){};
	return 0;
}

void btf_done(struct btf *btf)
{
	free(btf->offsets);
	*btf = (struct btf){};
}

struct btf_type btf_type(const struct btf *btf, uint32_t id)
{
	const uint8_t *type;
	uint32_t info;

	if (id == 0 || id >= btf->n_types)
		return (struct btf_type){.name = ""};
	type = btf->types + btf->offsets[id];
	info = get_le32(type + 4);
	return (struct btf_type){
		.kind = kind_of(info) < _BTF_KIND_MAX ? kind_of(info) : BTF_VOID,
		.flag = info >> 31,
		.name = btf_name(btf, get_le32(type)),
		.n = n_of(info),
		.size = get_le32(type + 8),
		.rest = type + TYPE_SIZE,
	};
}

const char *btf_name(const struct btf *btf, uint32_t at)
{
	return at < btf->strings_size ? btf->strings + at : "";
}
