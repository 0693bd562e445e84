/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/cli/kernel-tree-print.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "kho/client/format.h"
#include "kho/core/tree.h"
#include "kho/kernel/kernel-blob.h"

#define DUMP_MAX 4096
#define DUMP_LINE 16

static void print_dump_line(FILE *f, const uint8_t *bytes, size_t offset, size_t n)
{
	fprintf(f, "//   %04zx ", offset);
	for (size_t i = 0; i < DUMP_LINE; i++) {
		if (i < n)
			fprintf(f, " %02x", bytes[offset + i]);
		else
			fputs("   ", f);
	}
	fputs("  ", f);
	for (size_t i = 0; i < n; i++) {
		uint8_t c = bytes[offset + i];

		/* A backslash at the end would carry the comment on. */
		fputc(isascii(c) && isprint(c) && c != '\\' ? c : '.', f);
	}
	fputc('\n', f);
}

static void print_dump(FILE *f, const struct kernel_blob *blob)
{
	size_t shown = blob->size < DUMP_MAX ? blob->size : DUMP_MAX;

	for (size_t offset = 0; offset < shown; offset += DUMP_LINE)
		print_dump_line(f, blob->bytes, offset,
				shown - offset < DUMP_LINE ? shown - offset : DUMP_LINE);
	if (shown < blob->size)
		fprintf(f, "//   and %zu bytes more: --raw has them all\n", blob->size - shown);
}

static void print_reservations(FILE *f, const struct kernel_blob *blob)
{
	_cleanup_(kernel_reservations_done) struct kernel_reservations all = {};
	char size[FORMAT_SIZE_MAX];

	if (kernel_reservations_parse(blob->bytes, blob->size, &all) < 0)
		return;
	for (size_t i = 0; i < all.n_areas; i++)
		fprintf(f, "//   reserve_mem \"%s\": %s at 0x%" PRIx64 "\n", all.areas[i].name,
			format_size(all.areas[i].size, size), all.areas[i].address);
}

static void print_test(FILE *f, const struct kernel_blob *blob)
{
	struct kernel_test test;

	if (kernel_test_parse(blob->bytes, blob->size, &test) == 0)
		fprintf(f,
			"//   the kernel's own test: %" PRIu32 " folios, checksum 0x%" PRIx32 "\n",
			test.n_folios, test.checksum);
}

static void print_tree(FILE *f, const struct kernel_blob *blob)
{
	if (strcmp(blob->name, "memblock") == 0)
		print_reservations(f, blob);
	else if (strcmp(blob->name, "kho_test") == 0)
		print_test(f, blob);
}

static void print_cut(FILE *f, const struct kernel_blob *blob)
{
	struct kernel_cut cut;

	if (kernel_cut_parse(blob->bytes, blob->size, &cut) < 0)
		return;
	fprintf(f, "//   the kernel shows the first %zu of %" PRIu32 " bytes", blob->size,
		cut.size);
	if (cut.compatible[0])
		fprintf(f, "; compatible = \"%s\"", cut.compatible);
	fputc('\n', f);
	print_dump(f, blob);
}

static void print_metadata(FILE *f, const struct kernel_blob *blob)
{
	struct kernel_metadata metadata;

	if (kernel_metadata_parse(blob->bytes, blob->size, &metadata) == 0)
		fprintf(f,
			"//   version %" PRIu32 ", previous release %s, kexec count %" PRIu32 "\n",
			metadata.version, metadata.previous_release, metadata.kexec_count);
}

static void print_luo(FILE *f, const struct kernel_blob *blob)
{
	struct kernel_luo luo;

	if (kernel_luo_parse(blob->bytes, blob->size, &luo) == 0)
		fprintf(f,
			"//   %s, live update %" PRIu64 ", sessions at 0x%" PRIx64
			", FLBs at 0x%" PRIx64 "\n",
			luo.compatible, luo.number, luo.sessions, luo.flbs);
}

static void print_heading(FILE *f, const struct kernel_blob *blob)
{
	fprintf(f, "// %s: ", blob->name);
	if (!blob->bytes)
		fprintf(f, "can't be read: %s", strerror(-blob->error));
	else
		fprintf(f, "%s, %zu bytes", kernel_form_name(blob->form), blob->size);
	if (blob->has_address)
		fprintf(f, " at 0x%" PRIx64, blob->address);
	fputc('\n', f);
}

int kernel_blob_print(FILE *f, const struct kernel_blob *blob)
{
	print_heading(f, blob);
	if (!blob->bytes)
		return 0;
	switch (blob->form) {
	case KERNEL_FORM_TREE:
		print_tree(f, blob);
		return native_print_dts(f, blob->bytes, blob->size);
	case KERNEL_FORM_CUT:
		print_cut(f, blob);
		break;
	case KERNEL_FORM_METADATA:
		print_metadata(f, blob);
		break;
	case KERNEL_FORM_LUO:
		print_luo(f, blob);
		break;
	case KERNEL_FORM_STALE:
		fputs("//   the kernel has freed this memory since, and what stands there is "
		      "anybody's: rely on nothing of it\n",
		      f);
		__attribute__((fallthrough));
	default:
		print_dump(f, blob);
	}
	return ferror(f) ? -EIO : 0;
}

static void print_scratch(FILE *f, const struct kernel_tree *tree)
{
	char size[FORMAT_SIZE_MAX];

	for (size_t i = 0; i < tree->n_scratch; i++)
		fprintf(f, "// scratch area: %s at 0x%" PRIx64 "\n",
			format_size(tree->scratch[i].size, size), tree->scratch[i].address);
}

static void print_origin(FILE *f, const struct kernel_tree *tree)
{
	const struct kernel_blob *blob = kernel_tree_find(tree, "kexec-metadata");
	struct kernel_metadata metadata;

	fprintf(f, "// %s, KHO %s\n",
		tree->side == KERNEL_IN ? "what the previous kernel handed to this one"
					: "what this kernel hands to the next one",
		kho_generation_name(tree->generation));
	if (tree->side == KERNEL_IN && blob && blob->form == KERNEL_FORM_METADATA &&
	    kernel_metadata_parse(blob->bytes, blob->size, &metadata) == 0)
		fprintf(f,
			"// previous release: %s\n// kexec count since the cold boot: %" PRIu32
			"\n",
			metadata.previous_release, metadata.kexec_count);
}

int kernel_tree_print(FILE *f, const struct kernel_tree *tree)
{
	int r = 0;

	print_origin(f, tree);
	print_scratch(f, tree);
	if (tree->reason)
		fprintf(f, "// fdt: %s\n", tree->reason);
	else
		r = kernel_blob_print(f, &tree->root);
	for (size_t i = 0; r >= 0 && i < tree->n_blobs; i++) {
		fputc('\n', f);
		r = kernel_blob_print(f, &tree->blobs[i]);
	}
	return r < 0 ? r : fflush(f) == EOF || ferror(f) ? -EIO : 0;
}
