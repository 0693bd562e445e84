/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/image-kernel.h"
#include "kho/kernel/image-scan.h"
#include "kho/kernel/unpack.h"

#define MAGIC_MAX 8
#define SIZE_AT_END 4 /* what the kernel's build appends to all but gzip, which has it already */

DEFINE_CLEANUP_FUNC(struct image_scan *, image_scan_free)

/* Whether the payload is the kernel as it runs. */
static bool is_flat(const struct image *image)
{
	return !image->wrapped && (image->kernel == IMAGE_VMLINUX || image->kernel == IMAGE_ARM64);
}

/* NULL in *ret: as it is, or unknown. */
static int find_compression(const struct span *file, const struct image *image,
			    const struct compression **ret)
{
	uint8_t magic[MAGIC_MAX];
	struct span payload;
	int r;

	*ret = NULL;
	if (is_flat(image) ||
	    span_part(file, image->payload.offset, image->payload.size, &payload) < 0)
		return 0;
	r = span_read(&payload, 0, magic, sizeof(magic));
	if (r == 0)
		*ret = compression_of(magic, sizeof(magic));
	return r == -ENODATA ? 0 : r;
}

int image_note_compression(const struct span *file, struct image *image)
{
	const struct compression *compression;
	int r = find_compression(file, image, &compression);

	if (is_flat(image))
		image->compression = "none";
	else if (compression)
		image->compression = compression->name;
	return r;
}

static int add(void *userdata, const uint8_t *data, size_t n)
{
	return image_scan_add(userdata, data, n);
}

static int set_problem(struct image *image, const char *problem)
{
	image->problem = strdup(problem);
	return image->problem ? 0 : -ENOMEM;
}

/* The payload without what only the kernel's own build puts at its end. */
static int find_payload(const struct span *file, const struct image *image,
			const struct compression *compression, struct span *ret)
{
	uint64_t size = image->payload.size;

	if (image->kernel == IMAGE_BZIMAGE && strcmp(compression->name, "gzip") != 0)
		size -= SIZE_AT_END;
	return span_part(file, image->payload.offset, size, ret);
}

static int unpack_kernel(const struct span *payload, const struct compression *compression,
			 struct image *image, struct image_scan *scan)
{
	_cleanup_free_ char *message = NULL;
	uint64_t size = 0;
	int r = unpack(payload, compression, add, scan, &size, &message);

	if (message) {
		if (asprintf(&image->problem, "the kernel in it %s", message) < 0) {
			image->problem = NULL;
			return -ENOMEM;
		}
		return 0;
	}
	if (r < 0)
		return r;
	if (image->unpacked_size > 0 && image->unpacked_size != (uint32_t)size)
		return set_problem(image, "the kernel in it is damaged: it is not of the size that "
					  "the image says");
	return image_scan_finish(scan, image);
}

int image_read_kernel(const struct span *file, struct image *image)
{
	_cleanup_(image_scan_freep) struct image_scan *scan = NULL;
	const struct compression *compression;
	struct span payload;
	int r;

	if (image->payload.size == 0)
		return set_problem(image, "it does not say where the kernel in it is");
	r = find_compression(file, image, &compression);
	if (r < 0)
		return r;
	if (!compression && !is_flat(image))
		return set_problem(image, "the kernel in it is packed by an unknown compressor");
	if (find_payload(file, image, compression, &payload) < 0)
		return set_problem(image, "the kernel in it is damaged");
	scan = image_scan_new();
	if (!scan)
		return -ENOMEM;
	return unpack_kernel(&payload, compression, image, scan);
}
