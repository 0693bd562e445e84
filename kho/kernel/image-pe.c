/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/image-header.h"

/* The PE/COFF format: a DOS header that points to the PE header, and a table of sections. */
#define DOS_PE_OFFSET 0x3c
#define DOS_SIZE 64
#define COFF_SIZE 24 /* with the signature */
#define COFF_MACHINE 4
#define COFF_N_SECTIONS 6
#define COFF_OPTIONAL_SIZE 20
#define MACHINE_I386 0x014c
#define MACHINE_X86_64 0x8664
#define MACHINE_AARCH64 0xaa64

/* The optional header, by its magic: a table of directories, whose fifth are the certificates. */
#define OPTIONAL_PE32 0x010b
#define OPTIONAL_PE32_PLUS 0x020b
#define PE32_DIRECTORIES 96
#define PE32_PLUS_DIRECTORIES 112
#define DIRECTORY_SIZE 8
#define CERTIFICATES 4

#define SECTION_SIZE 40
#define SECTION_VIRTUAL_SIZE 8
#define SECTION_RAW_SIZE 16
#define SECTION_RAW_OFFSET 20

/* drivers/firmware/efi/libstub/zboot-header.S */
#define ZBOOT_MAGIC 4
#define ZBOOT_PAYLOAD_OFFSET 8
#define ZBOOT_PAYLOAD_SIZE 12

struct pe {
	uint8_t dos[DOS_SIZE];
	uint16_t machine;
	unsigned int n_sections;
	uint64_t optional, sections; /* where they are */
	uint64_t optional_size;
};

/* 1; 0: it has no PE header. */
static int read_pe(const struct span *span, struct pe *ret)
{
	uint8_t coff[COFF_SIZE];
	uint64_t at;
	int r = span_read(span, 0, ret->dos, sizeof(ret->dos));

	if (r == 0 && memcmp(ret->dos, "MZ", 2) != 0)
		return 0;
	at = get_le32(ret->dos + DOS_PE_OFFSET);
	if (r == 0)
		r = span_read(span, at, coff, sizeof(coff));
	if (r == -ENODATA || (r == 0 && memcmp(coff, "PE\0\0", 4) != 0))
		return 0;
	if (r < 0)
		return r;
	ret->machine = get_le16(coff + COFF_MACHINE);
	ret->n_sections = get_le16(coff + COFF_N_SECTIONS);
	ret->optional = at + sizeof(coff);
	ret->optional_size = get_le16(coff + COFF_OPTIONAL_SIZE);
	ret->sections = ret->optional + ret->optional_size;
	return 1;
}

bool image_pe_is_signed(const struct span *span)
{
	uint8_t magic[2], directory[DIRECTORY_SIZE];
	struct span certificates;
	uint64_t at = 0;
	struct pe pe;

	if (read_pe(span, &pe) <= 0 || span_read(span, pe.optional, magic, sizeof(magic)) < 0)
		return false;
	if (get_le16(magic) == OPTIONAL_PE32)
		at = PE32_DIRECTORIES;
	else if (get_le16(magic) == OPTIONAL_PE32_PLUS)
		at = PE32_PLUS_DIRECTORIES;
	at += CERTIFICATES * DIRECTORY_SIZE;
	if (at < PE32_DIRECTORIES || at + DIRECTORY_SIZE > pe.optional_size ||
	    span_read(span, pe.optional + at, directory, sizeof(directory)) < 0)
		return false;
	return get_le32(directory + 4) > 0 &&
	       span_part(span, get_le32(directory), get_le32(directory + 4), &certificates) == 0;
}

static enum image_arch arch_of(const struct pe *pe)
{
	switch (pe->machine) {
	case MACHINE_I386:
		return IMAGE_X86_32;
	case MACHINE_X86_64:
		return IMAGE_X86_64;
	case MACHINE_AARCH64:
		return IMAGE_AARCH64;
	default:
		return IMAGE_ARCH_UNKNOWN;
	}
}

/* What the file has of a section is filled up to whole blocks; its virtual size is not. */
static void note_section(const uint8_t *section, const struct image_part *part, struct image *image,
			 struct image_part *kernel)
{
	static const struct {
		const char *name;
		size_t offset;
	} parts[] = {
		{".initrd", offsetof(struct image, initrd)},
		{".cmdline", offsetof(struct image, cmdline)},
		{".osrel", offsetof(struct image, osrel)},
		{".profile", offsetof(struct image, profile)},
	};

	/* The first of a name is the one that is used without a profile. */
	if (kernel->size == 0 && strncmp((const char *)section, ".linux", 8) == 0)
		*kernel = *part;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		struct image_part *kept = (void *)((char *)image + parts[i].offset);

		if (kept->size == 0 && strncmp((const char *)section, parts[i].name, 8) == 0)
			*kept = *part;
	}
}

static int read_sections(const struct span *span, const struct pe *pe, struct image *image,
			 struct image_part *ret_kernel)
{
	for (unsigned int i = 0; i < pe->n_sections; i++) {
		uint8_t section[SECTION_SIZE];
		struct image_part part;
		struct span raw;
		uint32_t virtual_size;
		int r = span_read(span, pe->sections + (uint64_t)i * SECTION_SIZE, section,
				  sizeof(section));

		if (r < 0)
			return r;
		part.offset = get_le32(section + SECTION_RAW_OFFSET);
		part.size = get_le32(section + SECTION_RAW_SIZE);
		r = span_part(span, part.offset, part.size, &raw);
		if (r < 0)
			return r;
		virtual_size = get_le32(section + SECTION_VIRTUAL_SIZE);
		if (virtual_size > 0 && virtual_size < part.size)
			part.size = virtual_size;
		note_section(section, &part, image, ret_kernel);
	}
	return 0;
}

static int truncated(const char **ret_reason)
{
	*ret_reason = IMAGE_TRUNCATED;
	return -ENOEXEC;
}

/* The payload is an Image, packed; what of it is known without unpacking is little. */
int image_read_zboot(const struct span *span, struct image *image, const char **ret_reason)
{
	struct span payload;
	struct pe pe;
	int r = read_pe(span, &pe);

	if (r <= 0 || memcmp(pe.dos + ZBOOT_MAGIC, "zimg", 4) != 0)
		return r < 0 ? r : 0;
	image->payload.offset = get_le32(pe.dos + ZBOOT_PAYLOAD_OFFSET);
	image->payload.size = get_le32(pe.dos + ZBOOT_PAYLOAD_SIZE);
	if (span_part(span, image->payload.offset, image->payload.size, &payload) < 0)
		return truncated(ret_reason);
	image->kernel = IMAGE_ZBOOT;
	image->arch = arch_of(&pe);
	image->relocatable = -ENODATA;
	return 1;
}

int image_read_uki(const struct span *span, struct image *image, const char **ret_reason)
{
	struct image_part kernel = {};
	struct span part;
	struct pe pe;
	int r = read_pe(span, &pe);

	if (r <= 0)
		return r;
	r = read_sections(span, &pe, image, &kernel);
	if (r < 0)
		return r == -ENODATA ? truncated(ret_reason) : r;
	*ret_reason = "is an EFI program, but not a kernel";
	if (kernel.size == 0 || span_part(span, kernel.offset, kernel.size, &part) < 0)
		return -ENOEXEC;
	r = image_read_bare(&part, image, ret_reason);
	if (r == 0)
		return -ENOEXEC;
	image->kind = IMAGE_UKI;
	image->payload.offset += kernel.offset;
	return r;
}
