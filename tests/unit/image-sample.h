/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_UNIT_IMAGE_SAMPLE_H
#define TESTS_UNIT_IMAGE_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

/* Small images of kernels, of each kind. What can't be made ends the test. */

#define SAMPLE_RELEASE "7.3.4-sample"
#define SAMPLE_CONFIG "# CONFIG_SMP is not set\nCONFIG_LIVEUPDATE=y\nCONFIG_LSM=\"landlock\"\n"
#define SAMPLE_PAYLOAD 1088    /* where it is in a bzImage */
#define SAMPLE_PLAIN (-1)      /* in place of a filter of libarchive: not packed at all */
#define SAMPLE_LZ4_LEGACY (-2) /* what the kernel's build makes, and libarchive can't */
#define SAMPLE_LZO (-3)	       /* likewise; to unpack it, libarchive needs the program lzop */

struct blob {
	uint8_t *data;
	size_t size;
};

void blob_done(struct blob *blob);
#define _cleanup_blob_ _cleanup_(blob_done)

void blob_add(struct blob *blob, const void *data, size_t size);
void blob_fill(struct blob *blob, uint8_t byte, size_t size);
void blob_put32(struct blob *blob, size_t at, uint32_t value);

/* A vmlinux: its header, banner and build-id. The id is 20 times that byte. */
void sample_vmlinux(struct blob *to, uint8_t build_id);

/* Adds a string to the kernel, between NULs. */
void sample_string(struct blob *kernel, const char *string);

/* Adds a struct liveupdate_file_handler, whose first member is a pointer. */
void sample_handler(struct blob *kernel, const char *string);

/* Adds what CONFIG_IKCONFIG does. */
void sample_ikconfig(struct blob *kernel, const char *text);

/* Packs it; -1 if this libarchive can't. */
int sample_pack(struct blob *to, const struct blob *from, int filter);

int sample_bzimage(struct blob *to, const struct blob *vmlinux, int filter);
int sample_zboot(struct blob *to, const struct blob *image, int filter);

/* An arm64 Image with 16 KiB pages; the kernel is what is behind the header. */
void sample_arm64(struct blob *to, const struct blob *kernel);

void sample_uki(struct blob *to, const struct blob *kernel);

#endif
