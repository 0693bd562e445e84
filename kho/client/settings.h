/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLIENT_SETTINGS_H
#define KHO_CLIENT_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "kho/core/cleanup.h"

/* What live-update.conf(5) and its drop-ins say. Zeroed: nothing. */
struct settings {
	char *entry;	       /* Entry=; NULL: not set, as of all of them */
	char *kernel;	       /* Kernel=, an absolute path */
	char **initrds;	       /* Initrd=, absolute paths */
	char *command_line;    /* CommandLine= */
	bool reuse_cmdline;    /* ReuseCommandLine= */
	char *transport;       /* Transport=: auto, luo, spool */
	char *spool;	       /* Spool=, an absolute path, or "no" */
	uint64_t timeout_usec; /* TimeoutSec=; 0: not set */
	struct settings_digest {
		bool set;
		uint64_t size_max; /* bytes */
	} digest;		   /* DigestSizeMax= */

	/* "FILE:LINE" of the assignment that counts, where there is one. */
	char *entry_at, *kernel_at, *initrds_at, *command_line_at, *reuse_cmdline_at;

	char **warnings; /* a line each, about what has no meaning here */
};

/*
 * Reads them. Returns 0, also if there is no file; -EINVAL for a value that is none, or settings
 * that contradict each other; or what reading gave: with *ret_message, one line to be freed by the
 * caller (NULL: out of memory) that begins with the file and the line. *ret is to be freed by
 * settings_done() in any case.
 */
int settings_read(struct settings *ret, char **ret_message);

/* The same below the directory root_fd, which stands for /; for tests. */
int settings_read_at(int root_fd, struct settings *ret, char **ret_message);

void settings_done(struct settings *settings);

/* "always", "never" or a size as "256M", in bytes. 0, -EINVAL or -ERANGE. */
int parse_digest_size_max(const char *text, uint64_t *ret);

/* How long services get at most; microseconds. */
#define SETTINGS_TIMEOUT_MAX (24 * 60 * 60 * UINT64_C(1000000))

#endif
