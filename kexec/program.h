/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KEXEC_PROGRAM_H
#define KEXEC_PROGRAM_H

#include <stdbool.h>

/*
 * Runs a program to its end, its stdout going to our stderr. The signals of signal_fd are blocked
 * in it too, so that a Ctrl-C does not end it half way; the second one kills it.
 *
 * Returns what it exited with, -EINTR if a signal ended it, or another negative errno if it could
 * not be run. *ret_interrupted: a signal came meanwhile.
 */
int program_run(const char *path, char *const argv[], int signal_fd, bool *ret_interrupted);

#endif
