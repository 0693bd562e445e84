/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KEXEC_IMAGE_H
#define KEXEC_IMAGE_H

#include <stdint.h>

/* A kernel's image as far as can be told without loading it. */
struct image {
	char *path;    /* absolute, for khod and the log */
	char *release; /* uname -r; NULL: not told in the image */
};

void image_done(struct image *image);

/*
 * Checks that path is a whole kernel of a kind that kexec_file_load takes: a bzImage for 64 bit, an
 * arm64 Image, or a unified kernel image; also compressed as a whole. Returns 0, or a negative
 * errno with *ret_error, one line to be freed by the caller.
 */
int image_check(const char *path, struct image *ret, char **ret_error);

/* Checks that an initrd can be read at all. Errors as image_check(). */
int initrd_check(const char *path, char **ret_error);

/*
 * The same for an image's bytes: the first n of size. Returns 0, or a negative errno and in
 * *ret_reason, which is constant, what is wrong. *ret_release (may be NULL after) is the caller's.
 */
int image_header_check(const uint8_t *head, uint64_t n, uint64_t size, char **ret_release,
		       const char **ret_reason);

#endif
