/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_IMAGE_IKCONFIG_H
#define KHO_KERNEL_IMAGE_IKCONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IKCONFIG_MARK_SIZE 8

/* The configuration that CONFIG_IKCONFIG embeds (kernel/configs.c), taken out of a stream. */
struct ikconfig {
	char *text; /* once it has been found, NUL-terminated */
	bool within;
	size_t skip; /* bytes of a mark that are still to come */
	uint8_t *packed;
	size_t size, room;
};

/*
 * The next bytes: from begin until before end. IKCONFIG_MARK_SIZE - 1 more behind them can be read,
 * and come again. -ENOMEM, or 0.
 */
int ikconfig_add(struct ikconfig *ikconfig, const uint8_t *begin, const uint8_t *end);

void ikconfig_done(struct ikconfig *ikconfig);

#endif
