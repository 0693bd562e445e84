/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_CHECK_H
#define KHO_KERNEL_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/image.h"
#include "kho/kernel/machine.h"
#include "kho/kernel/running.h"
#include "kho/kernel/verdict.h"

/* This side of the change: to be read once, and used for any number of images. */
struct check {
	struct machine machine;
	struct running_kernel *here;
};

/* Reads it, which takes a while. -ENOMEM, or what reading gave. Free by check_done() in any case.
 */
int check_begin(struct check *ret);
void check_done(struct check *check);

/* As kexec-tools has them. */
struct check_options {
	const char *initrd;	  /* path; NULL: none but the image's own */
	char *const *initrds;	  /* strv of paths, instead: one behind the other */
	const char *command_line; /* of --command-line= or --append=; NULL: none */
	bool reuse_cmdline;	  /* the running kernel's comes first */
	bool reuse_by_default; /* the running kernel's, if neither these nor the image have one */
};

/* How a command line was found that the options do not give. */
enum cmdline_source {
	CMDLINE_GIVEN,	   /* by the options; also if it is empty */
	CMDLINE_OF_IMAGE,  /* of a UKI */
	CMDLINE_OF_KERNEL, /* the running one's, by default */
	CMDLINE_EMPTY,	   /* none of them */
};

struct checked {
	struct image *image;
	char *cmdline;
	enum cmdline_source cmdline_source;
	uint64_t initrd_size; /* bytes; 0: none */
	struct verdict *verdict;
};

/*
 * Reads an image, and decides. Returns 0 whatever the verdict; else a negative errno, with one
 * line in *ret_message (the caller's to free; NULL: out of memory). *ret is to be freed by
 * checked_done() if it succeeds.
 */
int check_image(const struct check *check, const char *path, const struct check_options *options,
		struct checked *ret, char **ret_message);

void checked_done(struct checked *checked);

#endif
