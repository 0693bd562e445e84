/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <string.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/layout.h"
#include "kho/kernel/span.h"

#define DEPTH_MAX 16   /* of types, each within or behind the one before */
#define STEPS_MAX 4096 /* types that are looked at: they may go round in circles */
#define FIELDS_MAX 256
#define NAME_LENGTH_MAX 256
#define BITS_MAX (UINT64_C(1) << 32)

/* struct btf_member, struct btf_enum, struct btf_enum64, struct btf_array */
#define MEMBER_SIZE 12
#define ENUM_SIZE 8
#define ENUM64_SIZE 12

struct walk {
	const struct btf *btf;
	struct layout *layout;
	unsigned int steps;
};

struct place {
	const char *name;
	uint64_t at;	/* bits */
	uint32_t width; /* of a bit field, bits; 0: as wide as its type */
	unsigned int depth;
};

static int add_type(struct walk *walk, uint32_t id, const struct place *place);

void layout_done(struct layout *layout)
{
	for (size_t i = 0; i < layout->n_fields; i++)
		free(layout->fields[i].name);
	free(layout->fields);
	*layout = (struct layout){};
}

static int add_field(struct layout *layout, enum layout_kind kind, const char *name, uint64_t at,
		     uint64_t width)
{
	struct layout_field *fields;

	if (layout->n_fields == FIELDS_MAX)
		return -E2BIG;
	fields = reallocarray(layout->fields, layout->n_fields + 1, sizeof(*fields));
	if (!fields)
		return -ENOMEM;
	layout->fields = fields;
	fields += layout->n_fields;
	*fields = (struct layout_field){
		.kind = kind, .name = strndup(name, NAME_LENGTH_MAX), .at = at, .width = width};
	if (!fields->name)
		return -ENOMEM;
	layout->n_fields++;
	return 0;
}

/* Before 4.20's way, the width of a bit field is that of a type of its own. */
static uint64_t width_of(const struct btf_type *type, const struct place *place)
{
	uint8_t bits = type->kind == BTF_INT ? type->rest[0] : 0;

	if (place->width > 0)
		return place->width;
	return bits > 0 ? bits : (uint64_t)type->size * 8;
}

/* A member without a name is one whose own members count. */
static int add_member(struct walk *walk, const struct btf_type *type, uint32_t i,
		      const struct place *place)
{
	const uint8_t *member = type->rest + (size_t)i * MEMBER_SIZE;
	const char *name = btf_name(walk->btf, get_le32(member));
	uint32_t offset = get_le32(member + 8);
	_cleanup_free_ char *path = NULL;
	struct place inner = {
		.at = place->at + (type->flag ? offset & 0xffffff : offset),
		.width = type->flag ? offset >> 24 : 0,
		.depth = place->depth + 1,
	};

	if (strlen(place->name) + strnlen(name, NAME_LENGTH_MAX) >= NAME_LENGTH_MAX ||
	    inner.at > BITS_MAX)
		return -E2BIG;
	if (asprintf(&path, "%s%s%s", place->name, *place->name && *name ? "." : "", name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	inner.name = path;
	return add_type(walk, get_le32(member + 4), &inner);
}

static int add_members(struct walk *walk, const struct btf_type *type, const struct place *place)
{
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < type->n; i++)
		r = add_member(walk, type, i, place);
	return r;
}

/* Of numbers, one field; of structures, the first one's. */
static int add_array(struct walk *walk, const struct btf_type *type, const struct place *place)
{
	uint32_t n = get_le32(type->rest + 8);
	struct place element = {.at = place->at, .depth = place->depth + 1};
	struct layout *layout = walk->layout;
	size_t first = layout->n_fields;
	_cleanup_free_ char *name = NULL;
	struct layout_field *field;
	int r;

	if (asprintf(&name, "%s[%" PRIu32 "]", place->name, n) < 0) {
		name = NULL;
		return -ENOMEM;
	}
	element.name = name;
	r = add_type(walk, get_le32(type->rest), &element);
	if (r < 0 || layout->n_fields != first + 1)
		return r;
	field = &layout->fields[first];
	if (strcmp(field->name, name) != 0)
		return 0;
	if (n > 0 && field->width > BITS_MAX / n)
		return -E2BIG;
	field->width *= n;
	return 0;
}

static int add_type(struct walk *walk, uint32_t id, const struct place *place)
{
	const struct btf_type type = btf_type(walk->btf, id);
	struct place behind = *place;

	if (place->depth > DEPTH_MAX || ++walk->steps > STEPS_MAX)
		return -E2BIG;
	behind.depth++;
	switch (type.kind) {
	case BTF_INT:
	case BTF_ENUM:
	case BTF_ENUM64:
	case BTF_FLOAT:
		return add_field(walk->layout, LAYOUT_NUMBER, place->name, place->at,
				 width_of(&type, place));
	case BTF_PTR:
		return add_field(walk->layout, LAYOUT_POINTER, place->name, place->at, 64);
	case BTF_ARRAY:
		return add_array(walk, &type, &behind);
	case BTF_STRUCT:
	case BTF_UNION:
		return add_members(walk, &type, &behind);
	case BTF_TYPEDEF:
	case BTF_VOLATILE:
	case BTF_CONST:
	case BTF_RESTRICT:
	case BTF_TYPE_TAG:
		return add_type(walk, type.size, &behind);
	default:
		return -EBADMSG;
	}
}

static int add_constants(struct walk *walk, const struct btf_type *type)
{
	size_t step = type->kind == BTF_ENUM64 ? ENUM64_SIZE : ENUM_SIZE;
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < type->n; i++) {
		const uint8_t *constant = type->rest + i * step;
		const char *name = btf_name(walk->btf, get_le32(constant));
		uint64_t value = get_le32(constant + 4);

		if (type->kind == BTF_ENUM64)
			value |= (uint64_t)get_le32(constant + 8) << 32;
		r = add_field(walk->layout, LAYOUT_CONSTANT, name, value, 0);
	}
	return r;
}

int layout_read(const struct btf *btf, uint32_t id, struct layout *ret)
{
	_cleanup_(layout_done) struct layout layout = {};
	const struct btf_type type = btf_type(btf, id);
	const struct place start = {.name = ""};
	struct walk walk = {.btf = btf, .layout = &layout};
	int r;

	if (type.kind == BTF_STRUCT)
		r = add_members(&walk, &type, &start);
	else if (type.kind == BTF_ENUM || type.kind == BTF_ENUM64)
		r = add_constants(&walk, &type);
	else
		r = -EBADMSG;
	if (r < 0)
		return r;
	layout.size = type.size;
	*ret = layout;
	layout = (struct layout){};
	return 0;
}

static int say_place(const struct layout_field *here, const struct layout_field *there, char **ret)
{
	if (here->kind == LAYOUT_CONSTANT)
		return asprintf(ret, "%s is %" PRIu64 " here, %" PRIu64 " there", here->name,
				here->at, there->at);
	if (here->at % 8 == 0 && there->at % 8 == 0)
		return asprintf(ret, "%s is at byte %" PRIu64 " here, at %" PRIu64 " there",
				here->name, here->at / 8, there->at / 8);
	return asprintf(ret, "%s is at bit %" PRIu64 " here, at %" PRIu64 " there", here->name,
			here->at, there->at);
}

static int say_width(const struct layout_field *here, const struct layout_field *there, char **ret)
{
	if (here->width % 8 == 0 && there->width % 8 == 0)
		return asprintf(ret, "%s has %" PRIu64 " bytes here, %" PRIu64 " there", here->name,
				here->width / 8, there->width / 8);
	return asprintf(ret, "%s has %" PRIu64 " bits here, %" PRIu64 " there", here->name,
			here->width, there->width);
}

/* 0: they are alike; else the length of the line, or negative. */
static int compare(const struct layout_field *here, const struct layout_field *there, char **ret)
{
	if (strcmp(here->name, there->name) != 0)
		return here->kind == LAYOUT_CONSTANT
			       ? asprintf(ret, "%s here, %s there", here->name, there->name)
			       : asprintf(ret, "at byte %" PRIu64 " it has %s here, %s there",
					  here->at / 8, here->name, there->name);
	if (here->kind != there->kind)
		return asprintf(ret, "%s is a %s on one side alone", here->name,
				here->kind == LAYOUT_CONSTANT || there->kind == LAYOUT_CONSTANT
					? "constant"
					: "pointer");
	if (here->at != there->at)
		return say_place(here, there, ret);
	if (here->width != there->width)
		return say_width(here, there, ret);
	return 0;
}

int layout_difference(const struct layout *here, const struct layout *there, char **ret)
{
	int r = 0;
	size_t i;

	*ret = NULL;
	for (i = 0; r == 0 && i < here->n_fields && i < there->n_fields; i++)
		r = compare(&here->fields[i], &there->fields[i], ret);
	if (r == 0 && here->n_fields != there->n_fields)
		r = here->n_fields > there->n_fields
			    ? asprintf(ret, "%s is not there", here->fields[i].name)
			    : asprintf(ret, "%s is there alone", there->fields[i].name);
	if (r == 0 && here->size != there->size)
		r = asprintf(ret, "it has %" PRIu64 " bytes here, %" PRIu64 " there", here->size,
			     there->size);
	if (r >= 0)
		return 0;
	*ret = NULL;
	return -ENOMEM;
}
