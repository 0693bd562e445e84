/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/core/fields.h"

#include <libfdt.h>
#include <stdint.h>
#include <string.h>

#include "kho/core/cleanup.h"
#include "kho/core/opaque.h"
#include "kho/core/text.h"

/* The member of an object that a field stands for. */
#define MEMBER(type, object, offset) ((type *)((char *)(object) + (offset)))
#define CONST_MEMBER(type, object, offset) ((const type *)((const char *)(object) + (offset)))

int fdt_write_errno(int error)
{
	return error == 0 ? 0 : error == -FDT_ERR_NOSPACE ? -E2BIG : -EINVAL;
}

static bool text_fits(const char *text, size_t max)
{
	size_t length = strnlen(text, max + 1);

	return length > 0 && length <= max && text_is_printable(text, length);
}

static int write_text(void *fdt, const struct field *field, const char *text)
{
	if ((!text || !*text) && !field->mandatory)
		return 0;
	if (!text || !text_fits(text, field->max))
		return -EINVAL;
	return fdt_write_errno(fdt_property_string(fdt, field->name, text));
}

static int write_texts(void *fdt, const struct field *field, char *const *texts)
{
	size_t n = 0, size = 0;
	void *value;
	char *p;
	int r;

	for (; texts && texts[n]; n++) {
		if (n == field->max || !text_fits(texts[n], field->text_max))
			return -EINVAL;
		size += strlen(texts[n]) + 1;
	}
	if (n == 0)
		return 0;
	r = fdt_property_placeholder(fdt, field->name, (int)size, &value);
	if (r < 0)
		return fdt_write_errno(r);
	p = value;
	for (size_t i = 0; i < n; i++)
		p = stpcpy(p, texts[i]) + 1;
	return 0;
}

static int write_number(void *fdt, const struct field *field, uint64_t number)
{
	if (number == 0 && !field->mandatory)
		return 0;
	if (field->type == FIELD_U32)
		return fdt_write_errno(fdt_property_u32(fdt, field->name, (uint32_t)number));
	return fdt_write_errno(fdt_property_u64(fdt, field->name, number));
}

static int write_name(void *fdt, const struct field *field, unsigned int value)
{
	const char *name = field->to_string(value);

	return name ? fdt_write_errno(fdt_property_string(fdt, field->name, name)) : -EINVAL;
}

static int write_field(void *fdt, const struct field *field, const void *object)
{
	const void *member = CONST_MEMBER(void, object, field->offset);

	switch (field->type) {
	case FIELD_U32:
		return write_number(fdt, field, *(const uint32_t *)member);
	case FIELD_U64:
		return write_number(fdt, field, *(const uint64_t *)member);
	case FIELD_FLAG:
		if (!*(const bool *)member)
			return 0;
		return fdt_write_errno(fdt_property(fdt, field->name, NULL, 0));
	case FIELD_TEXT:
		return write_text(fdt, field, *(char *const *)member);
	case FIELD_TEXTS:
		return write_texts(fdt, field, *(char **const *)member);
	case FIELD_BUFFER:
		if (*(const char *)member && strlen(member) != field->max)
			return -EINVAL;
		return write_text(fdt, field, member);
	case FIELD_NAME:
		return write_name(fdt, field, *(const unsigned int *)member);
	case FIELD_BYTES:
		if (!*CONST_MEMBER(bool, object, field->there_offset))
			return 0;
		return fdt_write_errno(fdt_property(fdt, field->name, member, (int)field->max));
	case FIELD_OTHER:
		return 0;
	}
	return -EINVAL;
}

int fields_write(void *fdt, const struct field *fields, size_t n, const void *object)
{
	for (size_t i = 0; i < n; i++) {
		int r = write_field(fdt, &fields[i], object);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Whether the value is one NUL-terminated string of 1 to MAX bytes. */
static bool is_text(const char *value, size_t size, size_t max)
{
	return strnlen(value, size) + 1 == size && text_fits(value, max);
}

static int read_text(const char *value, size_t size, size_t max, char **ret)
{
	if (!is_text(value, size, max))
		return -EBADMSG;
	*ret = strdup(value);
	return *ret ? 0 : -ENOMEM;
}

static int read_texts(const struct field *field, const char *value, size_t size, char ***ret)
{
	size_t n = 0;
	char **texts;

	if (size == 0 || value[size - 1] != '\0')
		return -EBADMSG;
	for (size_t i = 0; i < size; i++)
		n += value[i] == '\0';
	if (n > field->max)
		return -EBADMSG;
	texts = calloc(n + 1, sizeof(*texts));
	if (!texts)
		return -ENOMEM;
	*ret = texts;
	for (size_t i = 0, length; i < n; i++, value += length + 1) {
		length = strlen(value);
		if (!text_fits(value, field->text_max))
			return -EBADMSG;
		texts[i] = strdup(value);
		if (!texts[i])
			return -ENOMEM;
	}
	return 0;
}

static int read_name(const struct field *field, const char *value, size_t size, unsigned int *ret)
{
	int r = is_text(value, size, size) ? field->from_string(value) : -EINVAL;

	if (r < 0)
		return -EBADMSG;
	*ret = (unsigned int)r;
	return 0;
}

static int read_bytes(const struct field *field, const void *value, size_t size, void *object)
{
	if (size != field->max)
		return -EBADMSG;
	memcpy(MEMBER(char, object, field->offset), value, size);
	*MEMBER(bool, object, field->there_offset) = true;
	return 0;
}

static int read_field(const struct field *field, const void *value, size_t size, void *object)
{
	void *member = MEMBER(void, object, field->offset);

	switch (field->type) {
	case FIELD_U32:
		if (size != sizeof(uint32_t))
			return -EBADMSG;
		*(uint32_t *)member = fdt32_ld(value);
		return 0;
	case FIELD_U64:
		if (size != sizeof(uint64_t))
			return -EBADMSG;
		*(uint64_t *)member = fdt64_ld(value);
		return 0;
	case FIELD_FLAG:
		*(bool *)member = true;
		return size == 0 ? 0 : -EBADMSG;
	case FIELD_TEXT:
		return read_text(value, size, field->max, member);
	case FIELD_TEXTS:
		return read_texts(field, value, size, member);
	case FIELD_BUFFER:
		if (size != field->max + 1 || !is_text(value, size, field->max))
			return -EBADMSG;
		memcpy(member, value, size);
		return 0;
	case FIELD_NAME:
		return read_name(field, value, size, member);
	case FIELD_BYTES:
		return read_bytes(field, value, size, object);
	case FIELD_OTHER:
		return 0;
	}
	return -EBADMSG;
}

static size_t find_field(const struct field *fields, size_t n, const char *name)
{
	size_t i = 0;

	while (i < n && strcmp(fields[i].name, name) != 0)
		i++;
	return i;
}

int fields_read(const void *fdt, int node, const struct field *fields, size_t n, void *object,
		struct opaque **unknown)
{
	uint64_t seen = 0;
	int property, r;

	fdt_for_each_property_offset (property, fdt, node) {
		const char *name;
		int size;
		const void *value = fdt_getprop_by_offset(fdt, property, &name, &size);
		size_t i = find_field(fields, n, name);

		if (i < n)
			r = read_field(&fields[i], value, size, object);
		else
			r = opaque_add_property(unknown, name, value, size);
		if (r < 0)
			return r;
		seen |= UINT64_C(1) << i;
	}
	for (size_t i = 0; i < n; i++)
		if (fields[i].mandatory && !(seen & UINT64_C(1) << i))
			return -EBADMSG;
	return 0;
}
