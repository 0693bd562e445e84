/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KEXEC_OPTIONS_H
#define KEXEC_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is to be done, as bits: load goes together with execute or shutdown. */
enum kexec_action {
	ACTION_LOAD = 1 << 0,
	ACTION_EXECUTE = 1 << 1,
	ACTION_UNLOAD = 1 << 2,
	ACTION_STATUS = 1 << 3,
	ACTION_HELP = 1 << 4,
	ACTION_VERSION = 1 << 5,
	ACTION_SHUTDOWN = 1 << 6,
	ACTION_LAST_STEP = 1 << 7,
	ACTION_FIRST_STEP = 1 << 8,
};

struct kexec_options {
	bool kho; /* false: the rest means nothing, the distribution's kexec is to see argv */

	unsigned int actions;
	const char *image;	  /* borrowed, as all of these; NULL: what comes next by itself */
	bool as_systemctl;	  /* no image: the one that systemctl kexec would load */
	const char *entry;	  /* id of a boot loader entry, instead; NULL: none */
	const char *initrd;	  /* NULL: none */
	const char *command_line; /* the last of --command-line and --append; NULL: none */
	const char *command_line_from; /* where that can be changed; NULL: where it was said */
	bool reuse_cmdline;
	bool force;
	bool dry_run;
	const char *transport; /* auto, luo, initrd, spool; NULL: auto */
	const char *spool;     /* absolute path; NULL: khod's */
	bool no_sync;
	const char *last_step; /* how the machine goes down: kexec, reboot, poweroff or halt */
	uint64_t timeout_usec; /* 0: khod's default */
	bool has_digest_size_max;
	uint64_t digest_size_max; /* bytes */

	/* What goes on to the distribution's kexec, NULL-terminated: the words are ours. */
	char **load_arguments;
	size_t n_load_arguments;

	char *error; /* of kexec_options_parse(): one line */
};

/*
 * Reads the options as the distribution's kexec would, argv untouched, so that "--kho" is ours only
 * where that one would look for an option: not after "--", and not where another option's argument
 * stands. Returns 0, also if --kho is not there, -EINVAL if it is and something else is wrong
 * (error says what), or -ENOMEM.
 */
int kexec_options_parse(struct kexec_options *o, int argc, char *const argv[]);

/* Adds WORD=VALUE, or WORD alone, for the distribution's kexec. 0 or -ENOMEM. */
int kexec_options_forward(struct kexec_options *o, const char *word, const char *value);

/* Whether the user, not the check, has decided that memory goes by copy. */
bool kexec_options_choose_copy(const struct kexec_options *o);

void kexec_options_done(struct kexec_options *o);

#endif
