/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <endian.h>
#include <stdbool.h>
#include <string.h>

#include "kexec/image.h"
#include "kho/core/cleanup.h"

/* Documentation/arch/x86/boot.rst: the setup header, from the start of the image. */
#define SETUP_SECTS 0x1f1
#define SYSSIZE 0x1f4
#define BOOT_FLAG 0x1fe
#define HEADER_MAGIC 0x202
#define PROTOCOL_VERSION 0x206
#define KERNEL_VERSION 0x20e
#define LOADFLAGS 0x211
#define RELOCATABLE_KERNEL 0x234
#define XLOADFLAGS 0x236
#define SETUP_HEADER_END 0x268

#define SECTOR 512
#define PARAGRAPH 16
#define DEFAULT_SETUP_SECTS 4
#define LOADED_HIGH 0x01
#define XLF_KERNEL_64 0x01
#define XLF_CAN_BE_LOADED_ABOVE_4G 0x02
#define PROTOCOL_2_12 0x020c

/* The PE/COFF format: a DOS header that points to the PE header, and a table of sections. */
#define DOS_PE_OFFSET 0x3c
#define COFF_SIZE 24 /* with the signature */
#define COFF_N_SECTIONS 6
#define COFF_OPTIONAL_SIZE 20
#define SECTION_SIZE 40
#define SECTION_RAW_SIZE 16
#define SECTION_RAW_OFFSET 20

/* Documentation/arch/arm64/booting.rst */
#define ARM64_MAGIC 56
#define ARM64_HEADER_END 64

#define TRUNCATED "is truncated: its header promises more than there is"

static uint16_t get16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return le16toh(v);
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static bool is_bzimage(const uint8_t *head, uint64_t n)
{
	return n >= SETUP_HEADER_END && get16(head + BOOT_FLAG) == 0xaa55 &&
	       memcmp(head + HEADER_MAGIC, "HdrS", 4) == 0;
}

/* The release is the first word of what /proc/version would say. */
static char *bzimage_release(const uint8_t *head, uint64_t n, uint64_t setup_size)
{
	uint64_t offset = get16(head + KERNEL_VERSION);
	const char *version, *end;

	if (offset == 0)
		return NULL;
	offset += SECTOR;
	if (offset >= n || offset >= setup_size)
		return NULL;
	version = (const char *)head + offset;
	end = memchr(version, ' ', n - offset);
	return end ? strndup(version, end - version) : NULL;
}

static int bzimage_check(const uint8_t *head, uint64_t n, uint64_t size, char **ret_release,
			 const char **ret_reason)
{
	uint64_t setup_size = ((head[SETUP_SECTS] ?: DEFAULT_SETUP_SECTS) + 1) * SECTOR;
	uint64_t system_size = (uint64_t)get32(head + SYSSIZE) * PARAGRAPH;
	uint16_t xloadflags = get16(head + XLOADFLAGS);

	if (get16(head + PROTOCOL_VERSION) < PROTOCOL_2_12 || !(head[LOADFLAGS] & LOADED_HIGH) ||
	    !(xloadflags & XLF_KERNEL_64)) {
		*ret_reason = "is no 64-bit bzImage, which kexec_file_load needs";
		return -ENOEXEC;
	}
	if (!head[RELOCATABLE_KERNEL] || !(xloadflags & XLF_CAN_BE_LOADED_ABOVE_4G)) {
		*ret_reason = "is not relocatable: build it with CONFIG_RELOCATABLE=y";
		return -ENOEXEC;
	}
	if (setup_size + system_size > size) {
		*ret_reason = TRUNCATED;
		return -ENOEXEC;
	}
	*ret_release = bzimage_release(head, n, setup_size);
	return 0;
}

static bool is_arm64_image(const uint8_t *head, uint64_t n)
{
	return n >= ARM64_HEADER_END && memcmp(head + ARM64_MAGIC, "ARM\x64", 4) == 0;
}

/* Offset of the PE header; 0: there is none. */
static uint64_t pe_offset(const uint8_t *head, uint64_t n)
{
	uint64_t offset;

	if (n < DOS_PE_OFFSET + 4 || memcmp(head, "MZ", 2) != 0)
		return 0;
	offset = get32(head + DOS_PE_OFFSET);
	if (offset + COFF_SIZE > n || memcmp(head + offset, "PE\0\0", 4) != 0)
		return 0;
	return offset;
}

/* A unified kernel image keeps the kernel in ".linux"; the kernel's own zboot says "zimg". */
static int pe_check(const uint8_t *head, uint64_t n, uint64_t size, uint64_t pe,
		    const char **ret_reason)
{
	uint64_t section = pe + COFF_SIZE + get16(head + pe + COFF_OPTIONAL_SIZE);
	bool kernel = memcmp(head + 4, "zimg", 4) == 0;

	for (unsigned int i = get16(head + pe + COFF_N_SECTIONS); i > 0; i--) {
		uint64_t end;

		if (section + SECTION_SIZE > n) {
			*ret_reason = TRUNCATED;
			return -ENOEXEC;
		}
		end = (uint64_t)get32(head + section + SECTION_RAW_OFFSET) +
		      get32(head + section + SECTION_RAW_SIZE);
		if (end > size) {
			*ret_reason = TRUNCATED;
			return -ENOEXEC;
		}
		kernel = kernel || strncmp((const char *)head + section, ".linux", 8) == 0;
		section += SECTION_SIZE;
	}
	if (!kernel) {
		*ret_reason = "is an EFI program, but not a kernel";
		return -ENOEXEC;
	}
	return 0;
}

/* Some builds of kexec-tools unpack kernels that are compressed as a whole; Debian's does not. */
static bool is_compressed(const uint8_t *head, uint64_t n)
{
	static const struct {
		const char *magic;
		size_t length;
	} table[] = {
		{"\x1f\x8b", 2}, /* gzip */
		{"\xfd"
		 "7zXZ",
		 5},			 /* xz */
		{"\x28\xb5\x2f\xfd", 4}, /* zstd */
		{"\x04\x22\x4d\x18", 4}, /* lz4 */
		{"BZh", 3},
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (n >= table[i].length && memcmp(head, table[i].magic, table[i].length) == 0)
			return true;
	return false;
}

int image_header_check(const uint8_t *head, uint64_t n, uint64_t size, char **ret_release,
		       const char **ret_reason)
{
	uint64_t pe = pe_offset(head, n);

	*ret_release = NULL;
	*ret_reason = NULL;
#if defined(__x86_64__) || defined(__i386__)
	if (is_bzimage(head, n))
		return bzimage_check(head, n, size, ret_release, ret_reason);
	if (is_arm64_image(head, n)) {
		*ret_reason = "is a kernel for arm64, not for this machine";
		return -ENOEXEC;
	}
#else
	if (is_arm64_image(head, n))
		return 0;
	if (is_bzimage(head, n)) {
		*ret_reason = "is a kernel for x86, not for this machine";
		return -ENOEXEC;
	}
	(void)bzimage_check;
#endif
	if (pe)
		return pe_check(head, n, size, pe, ret_reason);
	*ret_reason = is_compressed(head, n) ? "is compressed: unpack it first" : "is not a kernel";
	return -ENOEXEC;
}
