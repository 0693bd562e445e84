/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KEXEC_STAGED_H
#define KEXEC_STAGED_H

#include <stdbool.h>
#include <stddef.h>

#include "kexec/options.h"
#include "kexec/staged-file.h"

/*
 * What was checked and loaded for an update, so that kexec --kho -e can load it again: whatever
 * else was loaded in between, by whomever, the kernel that is executed is the one that was checked.
 */
struct staged {
	char *update; /* NULL: not known yet */
	struct staged_file image;
	struct staged_file initrd;
	bool by_copy;		  /* nothing is handed over in place: nothing is finalized */
	char **arguments;	  /* for kexec-tools, before the image; NULL-terminated */
	char **archive_arguments; /* the same, where copies go in the initrd: behind those */
};

void staged_done(struct staged *staged);

/*
 * Takes the files and arguments of the options down. 0, or a negative errno with *ret_error, one
 * line to be freed by the caller (NULL: out of memory). *ret is to be freed by staged_done().
 */
int staged_init(struct staged *ret, const struct kexec_options *options, char **ret_error);

/* Adds a command line, where the options have none. 0 or -ENOMEM. */
int staged_set_cmdline(struct staged *staged, const char *cmdline);

/* Has kexec-tools take this for the running kernel's command line. 0 or -ENOMEM. */
int staged_reuse_cmdline(struct staged *staged, const char *cmdline);

/* Has kexec-tools load by kexec_load(2), which hands nothing over. 0 or -ENOMEM. */
int staged_load_plainly(struct staged *staged);

/* Adds to archive_arguments. 0 or -ENOMEM. */
int staged_add_archive_argument(struct staged *staged, const char *name, const char *value);

/* staged_file_verify() of image and initrd. */
int staged_verify(const struct staged *staged, bool content, char **ret_error);

/* Keeps it in the runtime directory, for root alone. 0 or a negative errno. */
int staged_write(const struct staged *staged);

/* -ENOENT: nothing is kept; -EBADMSG: not by us. *ret is to be freed by staged_done(). */
int staged_read(struct staged *ret);

#endif
