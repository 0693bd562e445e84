/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_SPAN_H
#define KHO_KERNEL_SPAN_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes of an open file; the fd is someone else's. */
struct span {
	int fd;
	uint64_t offset, size;
};

/* Exactly n bytes from position at of the span; -ENODATA if there are fewer. */
int span_read(const struct span *span, uint64_t at, void *buf, size_t n);

/* At most n bytes: returns how many. */
ptrdiff_t span_read_some(const struct span *span, uint64_t at, void *buf, size_t n);

/* A part of the span; -ENODATA if it is not all within. */
int span_part(const struct span *span, uint64_t at, uint64_t size, struct span *ret);

/* Little-endian numbers, aligned or not. */
static inline uint16_t get_le16(const void *p)
{
	uint16_t value;

	memcpy(&value, p, sizeof(value));
	return le16toh(value);
}

static inline uint32_t get_le32(const void *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof(value));
	return le32toh(value);
}

static inline uint64_t get_le64(const void *p)
{
	uint64_t value;

	memcpy(&value, p, sizeof(value));
	return le64toh(value);
}

#endif
