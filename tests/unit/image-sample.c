/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <archive.h>
#include <archive_entry.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kho/core/cleanup.h"
#include "tests/unit/image-sample.h"

#define SETUP_SECTS 1
#define SETUP_SIZE ((SETUP_SECTS + 1) * 512)
#define SYSTEM_OFFSET (SAMPLE_PAYLOAD - SETUP_SIZE)
#define VERSION_OFFSET 0x300

void blob_done(struct blob *blob)
{
	free(blob->data);
	*blob = (struct blob){};
}

void blob_add(struct blob *blob, const void *data, size_t size)
{
	uint8_t *grown = realloc(blob->data, blob->size + size + 1);

	assert_non_null(grown);
	memcpy(grown + blob->size, data, size);
	blob->data = grown;
	blob->size += size;
}

void blob_fill(struct blob *blob, uint8_t byte, size_t size)
{
	_cleanup_free_ uint8_t *bytes = malloc(size + 1);

	assert_non_null(bytes);
	memset(bytes, byte, size);
	blob_add(blob, bytes, size);
}

static void put_number(struct blob *blob, size_t at, uint64_t value, size_t bytes)
{
	assert_true(at + bytes <= blob->size);
	for (size_t i = 0; i < bytes; i++)
		blob->data[at + i] = (uint8_t)(value >> 8 * i);
}

void blob_put32(struct blob *blob, size_t at, uint32_t value)
{
	put_number(blob, at, value, 4);
}

static void put_text(struct blob *blob, size_t at, const char *text)
{
	assert_true(at + strlen(text) < blob->size);
	memcpy(blob->data + at, text, strlen(text));
}

void sample_vmlinux(struct blob *to, uint8_t build_id)
{
	static const char banner[] = "Linux version " SAMPLE_RELEASE " (me@here) #1 SMP\n";
	size_t note;

	blob_fill(to, 0, 64);
	put_text(to, 0,
		 "\x7f"
		 "ELF\2\1\1");
	put_number(to, 18, 62, 2); /* x86-64 */
	blob_add(to, banner, sizeof(banner));
	note = to->size;
	blob_fill(to, build_id, 12 + 4 + 20);
	put_number(to, note, 4, 4);
	put_number(to, note + 4, 20, 4);
	put_number(to, note + 8, 3, 4);
	put_text(to, note + 12, "GNU");
	to->data[note + 15] = 0;
}

void sample_string(struct blob *kernel, const char *string)
{
	blob_fill(kernel, 0, 1);
	blob_add(kernel, string, strlen(string) + 1);
}

void sample_handler(struct blob *kernel, const char *string)
{
	char compatible[48] = "";

	strncpy(compatible, string, sizeof(compatible) - 1);
	blob_add(kernel, "\x60\x2d\x83\x81\xff\xff\xff\xff", 8);
	blob_add(kernel, compatible, sizeof(compatible));
}

void sample_ikconfig(struct blob *kernel, const char *text)
{
	const struct blob plain = {.data = (uint8_t *)text, .size = strlen(text)};
	_cleanup_blob_ struct blob packed = {};

	assert_int_equal(sample_pack(&packed, &plain, ARCHIVE_FILTER_GZIP), 0);
	blob_add(kernel, "IKCFG_ST", 8);
	blob_add(kernel, packed.data, packed.size);
	blob_add(kernel, "IKCFG_ED", 8);
}

static la_ssize_t write_packed(struct archive *archive, void *userdata, const void *data, size_t n)
{
	(void)archive;
	blob_add(userdata, data, n);
	return (la_ssize_t)n;
}

/* One block of literals alone: the shortest that is right. */
static void pack_lz4_legacy(struct blob *to, const struct blob *from)
{
	_cleanup_blob_ struct blob block = {};
	uint8_t size[4];
	size_t left = from->size - 15;

	assert_true(from->size >= 15);
	blob_fill(&block, 0xf0, 1);
	for (; left >= 255; left -= 255)
		blob_fill(&block, 0xff, 1);
	blob_fill(&block, (uint8_t)left, 1);
	blob_add(&block, from->data, from->size);
	for (int i = 0; i < 4; i++)
		size[i] = (uint8_t)(block.size >> 8 * i);
	blob_add(to, "\x02\x21\x4c\x18", 4);
	blob_add(to, size, sizeof(size));
	blob_add(to, block.data, block.size);
}

static void add_be32(struct blob *to, uint32_t value)
{
	value = htobe32(value);
	blob_add(to, &value, sizeof(value));
}

static uint32_t adler32(const uint8_t *data, size_t size)
{
	uint32_t a = 1, b = 0;

	for (size_t i = 0; i < size; i++) {
		a = (a + data[i]) % 65521;
		b = (b + a) % 65521;
	}
	return b << 16 | a;
}

/*
 * As lib/decompress_unlzo.c and lzop take it: blocks that would not become shorter are stored as
 * they are. Of the header, only its checksum, the method and that there are no others count.
 */
static void pack_lzo(struct blob *to, const struct blob *from)
{
	static const uint8_t header[] = {0x10, 0x30, 0x20, 0xa0, 0x09, 0x40, 3, 9, 3, 0, 0, 0, 0,
					 0,    0x81, 0xa4, 0,	 0,    0,    0, 0, 0, 0, 0, 0};
	const size_t block = 262144;

	blob_add(to, "\x89LZO\0\r\n\x1a\n", 9);
	blob_add(to, header, sizeof(header));
	add_be32(to, adler32(header, sizeof(header)));
	for (size_t at = 0; at < from->size; at += block) {
		size_t left = from->size - at, n = left < block ? left : block;

		add_be32(to, (uint32_t)n);
		add_be32(to, (uint32_t)n);
		blob_add(to, from->data + at, n);
	}
	add_be32(to, 0);
}

static int pack(struct blob *to, const struct blob *from, struct archive *archive, int filter)
{
	struct archive_entry *entry = archive_entry_new();
	int r;

	assert_non_null(entry);
	/* Not ARCHIVE_WARN: that is a program, which may be missing. */
	r = archive_write_add_filter(archive, filter);
	if (r == ARCHIVE_OK)
		r = archive_write_set_format_raw(archive);
	archive_write_set_bytes_in_last_block(archive, 1);
	if (r == ARCHIVE_OK)
		r = archive_write_open(archive, to, NULL, write_packed, NULL);
	archive_entry_set_filetype(entry, AE_IFREG);
	if (r == ARCHIVE_OK)
		r = archive_write_header(archive, entry);
	for (size_t done = 0; r == ARCHIVE_OK && done < from->size;) {
		la_ssize_t n = archive_write_data(archive, from->data + done, from->size - done);

		if (n < 0)
			r = (int)n;
		else
			done += (size_t)n;
	}
	if (r == ARCHIVE_OK)
		r = archive_write_close(archive);
	archive_entry_free(entry);
	return r == ARCHIVE_OK ? 0 : -1;
}

int sample_pack(struct blob *to, const struct blob *from, int filter)
{
	struct archive *archive;
	int r;

	if (filter == SAMPLE_LZ4_LEGACY)
		pack_lz4_legacy(to, from);
	else if (filter == SAMPLE_LZO)
		pack_lzo(to, from);
	else if (filter == SAMPLE_PLAIN)
		blob_add(to, from->data, from->size);
	if (filter < 0)
		return 0;
	archive = archive_write_new();
	assert_non_null(archive);
	r = pack(to, from, archive, filter);
	archive_write_free(archive);
	return r;
}

/* Offsets as Documentation/arch/x86/boot.rst has them. */
static void add_setup(struct blob *to, size_t payload_size)
{
	blob_fill(to, 0, SETUP_SIZE);
	to->data[0x1f1] = SETUP_SECTS;
	blob_put32(to, 0x1f4, (uint32_t)(SYSTEM_OFFSET + payload_size + 15) / 16);
	put_number(to, 0x1fe, 0xaa55, 2);
	put_text(to, 0x202, "HdrS");
	put_number(to, 0x206, 0x020f, 2);
	put_number(to, 0x20e, VERSION_OFFSET - 0x200, 2);
	to->data[0x211] = 1;
	blob_put32(to, 0x230, 0x200000);
	to->data[0x234] = 1;
	put_number(to, 0x236, 3, 2);
	blob_put32(to, 0x248, SYSTEM_OFFSET);
	blob_put32(to, 0x24c, (uint32_t)payload_size);
	put_number(to, 0x258, 0x1000000, 8);
	blob_put32(to, 0x260, 0x1234000);
	put_text(to, VERSION_OFFSET, SAMPLE_RELEASE " (me@here) #1 SMP");
}

int sample_bzimage(struct blob *to, const struct blob *vmlinux, int filter)
{
	_cleanup_blob_ struct blob payload = {};

	if (sample_pack(&payload, vmlinux, filter) < 0)
		return -1;
	if (filter != ARCHIVE_FILTER_GZIP) {
		blob_fill(&payload, 0, 4);
		blob_put32(&payload, payload.size - 4, (uint32_t)vmlinux->size);
	}
	add_setup(to, payload.size);
	blob_fill(to, 0, SYSTEM_OFFSET);
	blob_add(to, payload.data, payload.size);
	blob_fill(to, 0, 15 - (SYSTEM_OFFSET + payload.size + 15) % 16);
	return 0;
}

/* A DOS and a PE header, and room for sections behind them. */
static void add_pe(struct blob *to, unsigned int machine, unsigned int n_sections)
{
	blob_fill(to, 0, 0x400);
	put_text(to, 0, "MZ");
	blob_put32(to, 0x3c, 0x80);
	put_text(to, 0x80, "PE");
	put_number(to, 0x84, machine, 2);
	put_number(to, 0x86, n_sections, 2);
	put_number(to, 0x94, 0xf0, 2);	/* optional header */
	put_number(to, 0x98, 0x20b, 2); /* of 64 bit */
}

static void add_section(struct blob *to, unsigned int i, const char *name, const void *data,
			size_t size)
{
	size_t header = 0x188 + 40 * i, padded = (size + 511) / 512 * 512;

	put_text(to, header, name);
	blob_put32(to, header + 8, (uint32_t)size);
	blob_put32(to, header + 16, (uint32_t)padded);
	blob_put32(to, header + 20, (uint32_t)to->size);
	blob_add(to, data, size);
	blob_fill(to, 0, padded - size);
}

int sample_zboot(struct blob *to, const struct blob *image, int filter)
{
	_cleanup_blob_ struct blob payload = {};

	if (sample_pack(&payload, image, filter) < 0)
		return -1;
	add_pe(to, 0xaa64, 0);
	put_text(to, 4, "zimg");
	blob_put32(to, 8, (uint32_t)to->size);
	blob_put32(to, 12, (uint32_t)payload.size);
	blob_add(to, payload.data, payload.size);
	return 0;
}

void sample_arm64(struct blob *to, const struct blob *kernel)
{
	blob_fill(to, 0, 64);
	put_text(to, 0, "MZ");
	put_number(to, 16, 0x2340000, 8);
	put_number(to, 24, 2 << 1 | 1 << 3, 8); /* 16 KiB pages, anywhere */
	put_text(to, 56, "ARM\x64");
	blob_add(to, kernel->data, kernel->size);
}

void sample_uki(struct blob *to, const struct blob *kernel)
{
	static const char osrel[] = "NAME='Sample OS'\nID=sample\nVERSION_ID=\"7\"\n";

	add_pe(to, 0x8664, 5);
	add_section(to, 0, ".cmdline", "kho=on", 6);
	add_section(to, 1, ".initrd", "070701", 6);
	add_section(to, 2, ".linux", kernel->data, kernel->size);
	add_section(to, 4, ".osrel", osrel, sizeof(osrel) - 1);
	add_section(to, 3, ".cmdline", "of another profile", 18);
}
