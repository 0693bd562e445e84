/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_CMDLINE_H
#define KHO_KERNEL_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A word of a kernel command line, NAME or NAME=VALUE, without the quotes; borrowed from it. */
struct cmdline_word {
	const char *name;
	size_t name_length;
	const char *value; /* NULL: none */
	size_t value_length;
};

/*
 * Takes the next word as the kernel does (lib/cmdline.c, next_arg), up to "--", after which words
 * are those of init. false: there is no more.
 */
bool cmdline_next(const char **cursor, struct cmdline_word *ret);

/* '-' and '_' are the same to the kernel (kernel/params.c, parameq). */
bool cmdline_word_is(const struct cmdline_word *word, const char *name);

enum cmdline_switch {
	SWITCH_ABSENT, /* not there, or with values only that every kernel ignores */
	SWITCH_ON,
	SWITCH_OFF,
};

/* What a switch, as kho= or liveupdate=, ends up with: the last value that is understood. */
enum cmdline_switch cmdline_switch(const char *cmdline, const char *name);

/* Whether it has a "--", after which nothing is the kernel's any more. */
bool cmdline_ends_early(const char *cmdline);

/* Whether the word is there at all. */
bool cmdline_has(const char *cmdline, const char *name);

/* The value of the last such word, to be freed by the caller; NULL: none, or out of memory. */
char *cmdline_value(const char *cmdline, const char *name);

/*
 * What a command line reserves in early boot, in bytes, each 0 if nothing. Ranges of crashkernel=
 * are held against the machine's memory (kernel/crash_reserve.c, parse_crashkernel_mem).
 */
struct cmdline_reservations {
	uint64_t crashkernel;
	uint64_t cma;
	uint64_t log_buf; /* the buffer alone */
};

struct cmdline_reservations cmdline_reservations(const char *cmdline, uint64_t memory_total);

#endif
