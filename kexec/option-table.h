/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KEXEC_OPTION_TABLE_H
#define KEXEC_OPTION_TABLE_H

#include <stdbool.h>
#include <stddef.h>

/* What an option of kexec's means together with --kho. */
enum option_role {
	ROLE_KHO,
	ROLE_TIMEOUT,
	ROLE_DIGEST,
	ROLE_FORCE,
	ROLE_DRY_RUN,
	ROLE_TRANSPORT,
	ROLE_SPOOL,
	ROLE_ENTRY,
	ROLE_ACTION,
	ROLE_LAST_STEP,
	ROLE_NO_SYNC,
	ROLE_INITRD,	    /* the distribution's kexec gets it, after a look at the file */
	ROLE_COMMAND_LINE,  /* likewise, of the words */
	ROLE_REUSE_CMDLINE, /* likewise, of what runs now */
	ROLE_FORWARD,	    /* the distribution's kexec gets it */
	ROLE_IMPLIED,	    /* --kho does that anyway */
	ROLE_REFUSE,
};

struct known_option {
	const char *name;
	char letter; /* 0: none */
	bool has_argument;
	enum option_role role;
	unsigned int action; /* of ROLE_ACTION */
	const char *reason;  /* of ROLE_REFUSE: why not */
};

/* All options of kexec-tools on this architecture, and ours. */
extern const struct known_option known_options[];
extern const size_t n_known_options;

#endif
