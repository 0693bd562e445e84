/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CORE_TEXT_H
#define KHO_CORE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* Whether the first SIZE bytes are UTF-8 (no NUL, surrogates or overlong forms). */
bool text_is_utf8(const char *text, size_t size);

/* The same, and without control characters (C0, DEL, C1). */
bool text_is_printable(const char *text, size_t size);

/*
 * Formats a line of at most MAX bytes, to be freed by the caller: cut between characters where it
 * is longer, and with '?' for every byte that is no UTF-8 or of a control character, so that it
 * can go to a terminal, into JSON and into the tree whatever was put in. NULL: out of memory.
 */
char *text_vformat(size_t max, const char *format, va_list ap)
	__attribute__((format(printf, 2, 0)));

/* The same, of arguments. */
char *text_format(size_t max, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Index of NAME in a table of N names, or -EINVAL. NAME may be NULL. */
int text_lookup(const char *const *names, size_t n, const char *name);

#endif
