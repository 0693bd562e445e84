/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <elf.h>
#include <errno.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/image-header.h"
#include "kho/kernel/unpack.h"

/* Documentation/arch/arm64/booting.rst */
#define ARM64_IMAGE_SIZE 16
#define ARM64_FLAGS 24
#define ARM64_MAGIC 56
#define ARM64_HEADER_SIZE 64
#define ARM64_ANYWHERE (1u << 3)
#define ARM64_ALIGNMENT (2u << 20)

#define MAGIC_MAX 8
#define PEEK_SIZE 1024

/* The first bytes, as they are or unpacked. */
struct peek {
	uint8_t bytes[PEEK_SIZE];
	size_t size;
};

static int read_head(const struct span *span, uint8_t *head, size_t n)
{
	int r = span_read(span, 0, head, n);

	if (r == -ENODATA)
		return 0;
	return r < 0 ? r : 1;
}

/* A program that is to be run has an interpreter, ld.so; a kernel never has one. */
static bool has_interpreter(const struct peek *head)
{
	uint64_t at = get_le64(head->bytes + offsetof(Elf64_Ehdr, e_phoff));
	unsigned int size = get_le16(head->bytes + offsetof(Elf64_Ehdr, e_phentsize));
	unsigned int n = get_le16(head->bytes + offsetof(Elf64_Ehdr, e_phnum));

	for (unsigned int i = 0; i < n && at < head->size && head->size - at >= 4; i++) {
		if (get_le32(head->bytes + at) == PT_INTERP)
			return true;
		at += size;
	}
	return false;
}

static bool is_vmlinux(const struct peek *head)
{
	return head->size >= sizeof(Elf64_Ehdr) && memcmp(head->bytes, ELFMAG, SELFMAG) == 0 &&
	       (head->bytes[EI_CLASS] != ELFCLASS64 || head->bytes[EI_DATA] != ELFDATA2LSB ||
		!has_interpreter(head));
}

static void note_elf(const uint8_t *head, struct image *image)
{
	uint16_t machine = get_le16(head + offsetof(Elf64_Ehdr, e_machine));
	bool big_endian = head[EI_DATA] == ELFDATA2MSB;

	image->kernel = IMAGE_VMLINUX;
	image->relocatable = -ENODATA;
	if (!big_endian && machine == EM_X86_64)
		image->arch = IMAGE_X86_64;
	else if (!big_endian && machine == EM_386)
		image->arch = IMAGE_X86_32;
	else if (!big_endian && machine == EM_AARCH64)
		image->arch = IMAGE_AARCH64;
	if (image->arch == IMAGE_X86_64)
		image->unfit =
			"is a vmlinux, which kexec_file_load does not take: load its bzImage";
	else if (image->arch == IMAGE_AARCH64)
		image->unfit = "is a vmlinux, which kexec_file_load does not take: load its Image";
}

int image_read_elf(const struct span *span, struct image *image, const char **ret_reason)
{
	struct peek head;
	ptrdiff_t n = span_read_some(span, 0, head.bytes, sizeof(head.bytes));

	(void)ret_reason;
	if (n < 0)
		return (int)n;
	head.size = (size_t)n;
	if (!is_vmlinux(&head))
		return 0;
	note_elf(head.bytes, image);
	image->payload = (struct image_part){.size = span->size};
	return 1;
}

static bool is_arm64(const uint8_t *head)
{
	return memcmp(head + ARM64_MAGIC, "ARM\x64", 4) == 0;
}

static void note_arm64(const uint8_t *head, struct image *image)
{
	static const uint32_t page_sizes[] = {0, 4096, 16384, 65536};
	uint64_t flags = get_le64(head + ARM64_FLAGS);

	image->kernel = IMAGE_ARM64;
	image->arch = IMAGE_AARCH64;
	image->page_size = page_sizes[flags >> 1 & 3];
	image->relocatable = flags & ARM64_ANYWHERE ? 1 : -ENODATA;
	image->init_size = get_le64(head + ARM64_IMAGE_SIZE);
	image->kernel_alignment = ARM64_ALIGNMENT;
}

int image_read_arm64(const struct span *span, struct image *image, const char **ret_reason)
{
	uint8_t head[ARM64_HEADER_SIZE];
	int r = read_head(span, head, sizeof(head));

	(void)ret_reason;
	if (r <= 0 || !is_arm64(head))
		return r < 0 ? r : 0;
	note_arm64(head, image);
	image->payload = (struct image_part){.size = span->size};
	return 1;
}

static int peek(void *userdata, const uint8_t *data, size_t n)
{
	struct peek *to = userdata;
	size_t room = sizeof(to->bytes) - to->size, more = n < room ? n : room;

	memcpy(to->bytes + to->size, data, more);
	to->size += more;
	return to->size == sizeof(to->bytes);
}

int image_read_compressed(const struct span *span, struct image *image, const char **ret_reason)
{
	const struct compression *compression;
	_cleanup_free_ char *message = NULL;
	struct peek head = {};
	int r = read_head(span, head.bytes, MAGIC_MAX);

	if (r <= 0)
		return r;
	compression = compression_of(head.bytes, MAGIC_MAX);
	if (!compression)
		return 0;
	r = unpack(span, compression, peek, &head, NULL, &message);
	if (r == -ENOMEM)
		return r;
	image->wrapped = true;
	image->payload = (struct image_part){.size = span->size};
	image->unfit = "is compressed: unpack it first";
	if (head.size >= ARM64_HEADER_SIZE && is_arm64(head.bytes)) {
		note_arm64(head.bytes, image);
		/* kexec-tools unpacks these itself. */
		if (strcmp(compression->name, "gzip") == 0)
			image->unfit = NULL;
		return 1;
	}
	if (is_vmlinux(&head)) {
		note_elf(head.bytes, image);
		return 1;
	}
	*ret_reason = "is compressed: unpack it first";
	return -ENOEXEC;
}

int image_read_bare(const struct span *span, struct image *image, const char **ret_reason)
{
	static image_header_reader *const readers[] = {
		image_read_bzimage, image_read_arm64,	   image_read_elf,
		image_read_zboot,   image_read_compressed,
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(readers); i++)
		r = readers[i](span, image, ret_reason);
	image->kind = image->kernel;
	return r;
}

int image_header_read(const struct span *span, struct image *image, const char **ret_reason)
{
	int r = image_read_bare(span, image, ret_reason);

	if (r == 0)
		r = image_read_uki(span, image, ret_reason);
	if (r == 0) {
		*ret_reason = "is not a kernel";
		return -ENOEXEC;
	}
	image->is_signed = r > 0 && image_pe_is_signed(span);
	return r;
}
