/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/core/tree.h"

#include <inttypes.h>
#include <libfdt.h>
#include <string.h>

#include "kho/core/text.h"
#include "kho/core/tree-fields.h"

static void indent(FILE *f, int depth)
{
	for (int i = 0; i < depth; i++)
		fputc('\t', f);
}

/* One or more NUL-terminated strings that a person can read. */
static bool is_texts(const char *value, int size)
{
	size_t length;

	if (size == 0 || value[size - 1] != '\0')
		return false;
	for (; size > 0; value += length + 1, size -= (int)length + 1) {
		length = strlen(value);
		if (length == 0 || !text_is_printable(value, length))
			return false;
	}
	return true;
}

static void print_texts(FILE *f, const char *value, int size)
{
	for (const char *end = value + size, *separator = ""; value < end; separator = ", ") {
		fprintf(f, "%s\"", separator);
		for (; *value; value++) {
			if (*value == '"' || *value == '\\')
				fputc('\\', f);
			fputc(*value, f);
		}
		fputc('"', f);
		value++;
	}
}

static void print_cells(FILE *f, const char *value, int size)
{
	for (int i = 0; i < size; i += 4)
		fprintf(f, "%s0x%02" PRIx32, i ? " " : "<", fdt32_ld((const void *)(value + i)));
	fputc('>', f);
}

static void print_bytes(FILE *f, const char *value, int size)
{
	for (int i = 0; i < size; i++)
		fprintf(f, "%s%02x", i ? " " : "[", (unsigned char)value[i]);
	fputc(']', f);
}

static uint32_t get_native32(const char *value)
{
	uint32_t number;

	memcpy(&number, value, sizeof(number));
	return number;
}

/* Numbers in the byte order of this machine, which cells do not show. */
static void print_native(FILE *f, const char *value, int size)
{
	uint64_t number = 0;

	if (size == 4)
		number = get_native32(value);
	else if (size == 8)
		memcpy(&number, value, 8);
	else
		return;
	fprintf(f, " // 0x%" PRIx64, number);
}

static void print_property(FILE *f, const void *fdt, int offset, int depth, bool native)
{
	const char *name;
	int size;
	const char *value = fdt_getprop_by_offset(fdt, offset, &name, &size);

	indent(f, depth);
	fputs(name, f);
	if (size > 0)
		fputs(" = ", f);
	if (is_texts(value, size))
		print_texts(f, value, size);
	else if (size > 0 && size % 4 == 0)
		print_cells(f, value, size);
	else if (size > 0)
		print_bytes(f, value, size);
	fputc(';', f);
	if (native && !is_texts(value, size))
		print_native(f, value, size);
	fputc('\n', f);
}

static void begin_node(FILE *f, const void *fdt, int offset, int depth)
{
	const char *name = fdt_get_name(fdt, offset, NULL);

	fputc('\n', f);
	indent(f, depth);
	fprintf(f, "%s {\n", depth == 0 ? "/" : name);
}

static void print_nodes(FILE *f, const void *fdt, bool native)
{
	int depth = 0, next = 0;

	for (;;) {
		int offset = next;

		switch (fdt_next_tag(fdt, offset, &next)) {
		case FDT_BEGIN_NODE:
			begin_node(f, fdt, offset, depth++);
			break;
		case FDT_PROP:
			print_property(f, fdt, offset, depth, native);
			break;
		case FDT_END_NODE:
			indent(f, --depth);
			fputs("};\n", f);
			break;
		case FDT_END:
			return;
		}
	}
}

static int print_dts(FILE *f, const void *blob, size_t size, bool native)
{
	_cleanup_free_ void *fdt = NULL;
	int r = tree_copy_checked(blob, size, &fdt);

	if (r < 0)
		return r;
	fputs("/dts-v1/;\n", f);
	for (int i = 0; i < fdt_num_mem_rsv(fdt); i++) {
		uint64_t address = 0, length = 0;

		fdt_get_mem_rsv(fdt, i, &address, &length);
		fprintf(f, "/memreserve/ 0x%" PRIx64 " 0x%" PRIx64 ";\n", address, length);
	}
	print_nodes(f, fdt, native);
	return fflush(f) == EOF || ferror(f) ? -EIO : 0;
}

int handover_print_dts(FILE *f, const void *blob, size_t size)
{
	return print_dts(f, blob, size, false);
}

int native_print_dts(FILE *f, const void *blob, size_t size)
{
	return print_dts(f, blob, size, true);
}
