/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_UNPACK_H
#define KHO_KERNEL_UNPACK_H

#include "kho/kernel/span.h"

/* One of the kernel's own compressors (lib/decompress.c), or none of them. */
struct compression {
	const char *name;
	const char *magic;
	size_t magic_size;
	int filter; /* of libarchive */
};

/* NULL: what begins so is compressed by none that is known. */
const struct compression *compression_of(const uint8_t *head, size_t n);

/* What is done with what comes out: 0 go on; 1 that is enough; or a negative errno. */
typedef int (*unpack_sink)(void *userdata, const uint8_t *data, size_t n);

#define UNPACKED_MAX (512u << 20)

/*
 * Unpacks a span, or hands it on as it is where compression is NULL. For gzip the checksum at the
 * end of the span counts. More than UNPACKED_MAX unpacked bytes are a bomb: -EFBIG. Returns 0, 1 if
 * the sink had enough, or a negative errno: any but the sink's own and -ENOMEM with *ret_message,
 * to be freed by the caller: "is damaged: …", or "can't be unpacked …" for want of a program.
 * *ret_size (may be NULL): the bytes that came out.
 */
int unpack(const struct span *span, const struct compression *compression, unpack_sink sink,
	   void *userdata, uint64_t *ret_size, char **ret_message);

#endif
