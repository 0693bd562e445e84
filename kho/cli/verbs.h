/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLI_VERBS_H
#define KHO_CLI_VERBS_H

#include "kho/client/exit-codes.h"

/*
 * Each verb is called with its own name as argv[0] and everything after it, getopt reset, and
 * returns an exit code (or what a wrapped command exited with).
 */
int verb_abort(int argc, char *argv[]);
int verb_check(int argc, char *argv[]);
int verb_drop(int argc, char *argv[]);
int verb_get(int argc, char *argv[]);
int verb_help(int argc, char *argv[]);
int verb_list(int argc, char *argv[]);
int verb_monitor(int argc, char *argv[]);
int verb_put(int argc, char *argv[]);
int verb_report(int argc, char *argv[]);
int verb_run(int argc, char *argv[]);
int verb_status(int argc, char *argv[]);
int verb_take(int argc, char *argv[]);
int verb_tree(int argc, char *argv[]);
int verb_wait(int argc, char *argv[]);

/* Prints how the verb named verb is called, to stdout. */
void print_usage(const char *verb);

/* Points to kho --help after getopt has said what it does not know. Returns EXIT_LOCAL. */
int bad_usage(const char *verb);

#endif
