/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_IMAGE_H
#define KHO_KERNEL_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/abi.h"
#include "kho/kernel/abi-layouts.h"

/* The kernel in a file, of whatever kind /boot has it. */
enum image_kind {
	IMAGE_BZIMAGE, /* x86: Documentation/arch/x86/boot.rst */
	IMAGE_VMLINUX, /* ELF */
	IMAGE_ARM64,   /* Documentation/arch/arm64/booting.rst */
	IMAGE_ZBOOT,   /* EFI zboot: drivers/firmware/efi/libstub/zboot-header.S */
	IMAGE_UKI,     /* a unified kernel image, with another kind of kernel in it */
	_IMAGE_KIND_MAX,
};

enum image_arch {
	IMAGE_ARCH_UNKNOWN,
	IMAGE_X86_32,
	IMAGE_X86_64,
	IMAGE_AARCH64,
	_IMAGE_ARCH_MAX,
};

/* Bytes of the file. size 0: there is none. */
struct image_part {
	uint64_t offset, size;
};

#define IMAGE_BUILD_ID_MAX 64

struct image_build_id {
	uint8_t bytes[IMAGE_BUILD_ID_MAX];
	unsigned int size;
};

struct image {
	char *path;    /* absolute */
	uint64_t size; /* of the file, bytes */
	enum image_kind kind;
	enum image_kind kernel; /* what is in a UKI; else kind again */
	enum image_arch arch;
	bool wrapped;		 /* the file is compressed as a whole, an arm64 Image.gz */
	const char *compression; /* of the kernel itself: "gzip", "xz" …, "none"; NULL: unknown */
	/* Why kexec_file_load will not take it, wherever it is tried: "is not relocatable: …", to
	 * come after a name. NULL: nothing against it is known. Constant. */
	const char *unfit;

	char *release;	 /* uname -r; NULL: not told */
	int relocatable; /* 1, 0; negative: unknown */
	bool is_signed;	 /* a signature is attached to the file (Authenticode); not who made it */
	uint32_t page_size; /* bytes; 0: unknown */
	/* Memory that the kernel takes from where it is loaded, its .bss included: bytes, 0:
	 * unknown; the alignment and the address that it would like, likewise. */
	uint64_t init_size, kernel_alignment, pref_address;
	struct image_part initrd, cmdline, osrel, profile; /* of a UKI */
	struct image_part payload; /* where the kernel itself is, compressed or not */
	uint32_t unpacked_size;	   /* bytes, modulo 4 GiB, as a bzImage says; 0: unknown */

	/*
	 * From the kernel itself, unpacked. problem: one line, why it could not be read whole; then
	 * nothing of the following is known.
	 */
	char *problem;
	struct abi abi;
	struct abi_layouts layouts;	  /* of its BTF; nothing is known where there is none */
	struct image_build_id *build_ids; /* its own, and those of what is embedded: the vDSO */
	unsigned int n_build_ids;
	char *config;	     /* the text of .config; NULL: there is none */
	char *config_source; /* "embedded", or the path of the file */
};

/*
 * Reads an image, and unpacks the kernel in it once, as a stream; takes as long (a second for
 * each 50 MiB or so). Nothing in the file is believed.
 *
 * Where the image embeds no configuration, config-RELEASE beside it or in /boot is its
 * configuration, whoever put it there.
 *
 * Returns 0, even if the kernel in it can't be unpacked, which image->problem tells; or a negative
 * errno with *ret_message, one line to be freed by the caller (NULL: out of memory): -ENOEXEC no
 * image of a kernel, or a truncated one; -EISDIR, -EINVAL not a regular file; -ENODATA empty;
 * and what opening and reading gave.
 */
int image_read(const char *path, struct image **ret, char **ret_message);

/* The same below the directory root_fd, which stands for /; path without the first slash. AT_FDCWD
 * is as above. */
int image_read_at(int root_fd, const char *path, struct image **ret, char **ret_message);

/* The same without unpacking the kernel: fast; but problem, abi, build_ids and config are empty. */
int image_read_header(const char *path, struct image **ret, char **ret_message);
int image_read_header_at(int root_fd, const char *path, struct image **ret, char **ret_message);

struct image *image_free(struct image *image);

DEFINE_CLEANUP_FUNC(struct image *, image_free)
#define _cleanup_image_ _cleanup_(image_freep)

/*
 * Whether kexec_file_load on this machine takes it, as far as can be told without loading it: 0, or
 * -ENOEXEC with *ret_reason, which is constant, to come after the image's name.
 */
int image_check_loadable(const struct image *image, const char **ret_reason);

/*
 * "y", "m", "n", or the value as it stands: NULL if there is no configuration or it does not
 * name the symbol ("CONFIG_LIVEUPDATE"), which kernels that do not have it do not, nor those
 * where what it depends on is off. To be freed by the caller.
 */
char *image_config(const struct image *image, const char *symbol);

bool image_has_build_id(const struct image *image, const void *id, unsigned int size);

/* "bzImage", "vmlinux", "arm64 Image", "EFI zboot", "unified kernel image"; "x86_64" … Never NULL.
 */
const char *image_kind_name(enum image_kind kind);
const char *image_arch_name(enum image_arch arch);

#endif
