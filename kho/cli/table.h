/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLI_TABLE_H
#define KHO_CLI_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "kho/core/cleanup.h"

/*
 * Rows of text in aligned columns. An error while filling it (-ENOMEM) is kept and returned by
 * table_print(), so that rows need no checks.
 */
struct table;

/*
 * columns: one line of headers, separated by '|'; a header that begins with '>' is of a column that
 * is aligned to the right. NULL if memory is short; it takes cells all the same, and does not
 * print.
 */
struct table *table_new(const char *columns);
struct table *table_free(struct table *table);
DEFINE_CLEANUP_FUNC(struct table *, table_free)
#define _cleanup_table_ _cleanup_(table_freep)

/* Adds the next cell, row by row; text is copied, NULL is empty. Control characters become '?'. */
void table_cell(struct table *table, const char *text);
void table_cellf(struct table *table, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Each line begins with indent. Returns 0 or -ENOMEM. */
int table_print(const struct table *table, const char *indent, FILE *out);

#endif
