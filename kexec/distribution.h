/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KEXEC_DISTRIBUTION_H
#define KEXEC_DISTRIBUTION_H

/*
 * The kexec of kexec-tools, which is found at run time: the first program named kexec in $PATH, and
 * then in the system's folders, that is not this front end, whatever name or copy that goes by.
 */

/* Becomes the distribution's kexec. Returns only if there is none: what to exit with then. */
int distribution_exec(char **argv);

/* Its path, to be freed by the caller; -ENOENT (and a line on stderr), -ENOMEM. */
int distribution_find(char **ret);

/* What a command that is not there, or does not start, exits with in a shell. */
#define EXIT_CANNOT_EXECUTE 126
#define EXIT_NOT_FOUND 127

#endif
