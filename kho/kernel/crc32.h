/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_CRC32_H
#define KHO_KERNEL_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of gzip (RFC 1952, section 8), as a stream: libarchive does not look at it. */
struct crc32 {
	uint32_t table[256];
	uint32_t state;
};

static inline void crc32_init(struct crc32 *crc)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t value = i;

		for (int bit = 0; bit < 8; bit++)
			value = value >> 1 ^ (value & 1 ? 0xedb88320u : 0);
		crc->table[i] = value;
	}
	crc->state = 0xffffffffu;
}

static inline void crc32_add(struct crc32 *crc, const uint8_t *data, size_t n)
{
	for (size_t i = 0; i < n; i++)
		crc->state = crc->state >> 8 ^ crc->table[(crc->state ^ data[i]) & 0xff];
}

static inline uint32_t crc32_value(const struct crc32 *crc)
{
	return ~crc->state;
}

#endif
