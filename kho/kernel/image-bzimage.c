/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>

#include "kho/kernel/image-header.h"

/* Documentation/arch/x86/boot.rst: the setup header, from the start of the image. */
#define SETUP_SECTS 0x1f1
#define SYSSIZE 0x1f4
#define BOOT_FLAG 0x1fe
#define HEADER_MAGIC 0x202
#define PROTOCOL_VERSION 0x206
#define KERNEL_VERSION 0x20e
#define LOADFLAGS 0x211
#define KERNEL_ALIGNMENT 0x230
#define RELOCATABLE_KERNEL 0x234
#define XLOADFLAGS 0x236
#define PAYLOAD_OFFSET 0x248
#define PAYLOAD_LENGTH 0x24c
#define PREF_ADDRESS 0x258
#define INIT_SIZE 0x260
#define SETUP_HEADER_END 0x268

#define SECTOR 512
#define PARAGRAPH 16
#define DEFAULT_SETUP_SECTS 4
#define LOADED_HIGH 0x01
#define XLF_KERNEL_64 0x01
#define XLF_CAN_BE_LOADED_ABOVE_4G 0x02
#define PROTOCOL_2_08 0x0208
#define PROTOCOL_2_10 0x020a
#define PROTOCOL_2_12 0x020c

#define RELEASE_MAX 64
#define X86_PAGE_SIZE 4096

/* The release is the first word of what /proc/version would say. */
static int read_release(const struct span *span, uint64_t setup_size, uint16_t pointer,
			struct image *image)
{
	uint64_t at = SECTOR + (uint64_t)pointer;
	char text[RELEASE_MAX + 1];
	const char *end;
	ptrdiff_t n;

	if (pointer == 0 || at >= setup_size)
		return 0;
	n = span_read_some(span, at, text, sizeof(text));
	if (n < 0)
		return (int)n;
	end = memchr(text, ' ', (size_t)n);
	for (const char *p = text; end && p < end; p++)
		if (*p < '!' || *p > '~')
			return 0;
	if (!end || end == text)
		return 0;
	image->release = strndup(text, (size_t)(end - text));
	return image->release ? 0 : -ENOMEM;
}

/* The kernel ends with its unpacked size, whatever it is packed with (scripts/Makefile.lib). */
static int read_payload(const struct span *span, uint64_t setup_size, const uint8_t *header,
			struct image *image)
{
	uint64_t offset = setup_size + get_le32(header + PAYLOAD_OFFSET);
	uint64_t length = get_le32(header + PAYLOAD_LENGTH);
	uint8_t size[4];
	int r;

	if (length < sizeof(size))
		return 0;
	if (offset + length > span->size)
		return -ENODATA;
	r = span_read(span, offset + length - sizeof(size), size, sizeof(size));
	if (r < 0)
		return r;
	image->unpacked_size = get_le32(size);
	image->payload = (struct image_part){.offset = offset, .size = length};
	return 0;
}

static const char *why_unfit(const uint8_t *header)
{
	if (get_le16(header + PROTOCOL_VERSION) < PROTOCOL_2_12 ||
	    !(header[LOADFLAGS] & LOADED_HIGH) || !(get_le16(header + XLOADFLAGS) & XLF_KERNEL_64))
		return "is no 64-bit bzImage, which kexec_file_load needs";
	if (!header[RELOCATABLE_KERNEL] ||
	    !(get_le16(header + XLOADFLAGS) & XLF_CAN_BE_LOADED_ABOVE_4G))
		return "is not relocatable: build it with CONFIG_RELOCATABLE=y";
	return NULL;
}

static void read_placement(const uint8_t *header, struct image *image)
{
	uint16_t protocol = get_le16(header + PROTOCOL_VERSION);

	image->relocatable = -ENODATA;
	image->arch = IMAGE_X86_32;
	if (protocol >= PROTOCOL_2_10) {
		image->kernel_alignment = get_le32(header + KERNEL_ALIGNMENT);
		image->pref_address = get_le64(header + PREF_ADDRESS);
		image->init_size = get_le32(header + INIT_SIZE);
	}
	if (protocol >= PROTOCOL_2_12) {
		uint16_t flags = get_le16(header + XLOADFLAGS);

		image->relocatable =
			header[RELOCATABLE_KERNEL] && flags & XLF_CAN_BE_LOADED_ABOVE_4G;
		if (flags & XLF_KERNEL_64)
			image->arch = IMAGE_X86_64;
	}
	image->page_size = X86_PAGE_SIZE;
	image->unfit = why_unfit(header);
}

int image_read_bzimage(const struct span *span, struct image *image, const char **ret_reason)
{
	uint8_t header[SETUP_HEADER_END];
	uint64_t setup_size, system_size;
	int r = span_read(span, 0, header, sizeof(header));

	if (r == -ENODATA || (r == 0 && (get_le16(header + BOOT_FLAG) != 0xaa55 ||
					 memcmp(header + HEADER_MAGIC, "HdrS", 4) != 0)))
		return 0;
	if (r < 0)
		return r;
	setup_size = ((header[SETUP_SECTS] ?: DEFAULT_SETUP_SECTS) + 1) * SECTOR;
	system_size = (uint64_t)get_le32(header + SYSSIZE) * PARAGRAPH;
	if (setup_size + system_size > span->size)
		goto truncated;
	image->kernel = IMAGE_BZIMAGE;
	read_placement(header, image);
	if (get_le16(header + PROTOCOL_VERSION) >= PROTOCOL_2_08) {
		r = read_payload(span, setup_size, header, image);
		if (r == -ENODATA)
			goto truncated;
	}
	if (r == 0)
		r = read_release(span, setup_size, get_le16(header + KERNEL_VERSION), image);
	return r < 0 ? r : 1;
truncated:
	*ret_reason = IMAGE_TRUNCATED;
	return -ENOEXEC;
}
