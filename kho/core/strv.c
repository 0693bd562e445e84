/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <string.h>

#include "kho/core/cleanup.h"
#include "kho/core/strv.h"
#include "kho/core/text.h"

#define LINE_MAX_SIZE 4096

size_t strv_length(char *const *strv)
{
	size_t n = 0;

	while (strv && strv[n])
		n++;
	return n;
}

int strv_consume(char ***strv, char *string)
{
	size_t n = strv_length(*strv);
	char **longer;

	if (!string)
		return -ENOMEM;
	longer = reallocarray(*strv, n + 2, sizeof(*longer));
	if (!longer) {
		free(string);
		return -ENOMEM;
	}
	longer[n] = string;
	longer[n + 1] = NULL;
	*strv = longer;
	return 0;
}

int strv_append(char ***strv, const char *string)
{
	return strv_consume(strv, strdup(string));
}

int strv_appendf(char ***strv, const char *format, ...)
{
	va_list ap;
	char *line;

	va_start(ap, format);
	line = text_vformat(LINE_MAX_SIZE, format, ap);
	va_end(ap);
	return strv_consume(strv, line);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strv_sort(char **strv)
{
	if (strv)
		qsort(strv, strv_length(strv), sizeof(*strv), compare);
}

char **strv_free(char **strv)
{
	for (char **s = strv; s && *s; s++)
		free(*s);
	free(strv);
	return NULL;
}
