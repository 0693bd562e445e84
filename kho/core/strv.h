/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CORE_STRV_H
#define KHO_CORE_STRV_H

#include <stddef.h>

/* Lists of strings: NULL-terminated, or NULL if there are none. */

size_t strv_length(char *const *strv);

/* Appends a string that it takes over, whatever happens. 0 or -ENOMEM, which NULL is too. */
int strv_consume(char ***strv, char *string);

/* The same, of a copy, and of a line that is formatted, and made fit to be shown, by text_format().
 */
int strv_append(char ***strv, const char *string);
int strv_appendf(char ***strv, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* By strcmp(3). */
void strv_sort(char **strv);

char **strv_free(char **strv);

static inline void strv_freep(char ***strv)
{
	*strv = strv_free(*strv);
}
#define _cleanup_strv_ _cleanup_(strv_freep)

#endif
