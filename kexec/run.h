/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KEXEC_RUN_H
#define KEXEC_RUN_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "kexec/options.h"
#include "kexec/progress.h"
#include "kho/client/manager.h"

/* One invocation of kexec --kho. */
struct run {
	const struct kexec_options *options;
	char *program; /* the distribution's kexec */
	struct manager *manager;
	sigset_t signals; /* Ctrl-C and its like */
	int signal_fd;	  /* what they end in */
	struct progress progress;
	char *update;	  /* that is ours, as far as known */
	char *release;	  /* of the kernel it goes to; NULL: not known */
	bool forced;	  /* it did not pass the check */
	bool by_copy;	  /* nothing stays in place */
	bool may_archive; /* copies can go in the next kernel's initrd */
};

/*
 * Checks that this is root, finds the distribution's kexec and, from here on, takes signals by
 * signal_fd alone. Says on stderr what fails, and returns what to exit with, or EXIT_DONE.
 */
enum exit_code run_begin(struct run *run, const struct kexec_options *options);

/* Connects to khod, unless that is done; says and returns the same. */
enum exit_code run_connect(struct run *run);

/* Has calls on m end by a signal, and say when khod is silent. */
void run_attend(struct run *run, struct manager *m);

void run_done(struct run *run);

/* "kexec: ..." as one line on stderr. Returns exit_code, for the caller to pass on. */
enum exit_code complain(struct run *run, enum exit_code exit_code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Complains with khod's words. */
enum exit_code complain_manager(struct run *run);

/* Warnings of a reply, one line each on stderr. */
void show_warnings(struct run *run, char *const *warnings);

/* Calls a method that tells of its progress, and shows that. Returns as manager_call(). */
int run_call(struct run *run, const char *method, sd_json_variant *parameters,
	     sd_json_variant **ret_reply);

/* Has the distribution's kexec drop the loaded image. 0 or a negative errno, having complained. */
int run_unload(struct run *run);

/*
 * After a failure of an update that had begun: drops the loaded image if it is ours, has khod
 * abort, and returns when everything is released. The reason, which is one line, is what is shown.
 */
enum exit_code run_undo(struct run *run, bool unload, const char *reason);

/* Whether an update is staged already. */
bool run_is_staged(struct run *run);

/* The actions. */
enum exit_code run_stage(struct run *run);
enum exit_code run_execute(struct run *run);
enum exit_code run_shutdown(struct run *run);
enum exit_code run_first_step(struct run *run, struct kexec_options *options);
enum exit_code run_last_step(struct run *run);
enum exit_code run_drop(struct run *run);
enum exit_code run_show(struct run *run);

#endif
