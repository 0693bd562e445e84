/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <string.h>
#include <wchar.h>

#include "kho/cli/table.h"

enum { COLUMNS_MAX = 16 };

struct table {
	size_t n_columns;
	bool right[COLUMNS_MAX];
	char **cells; /* the headers are the first row */
	size_t n_cells;
	int error;
};

struct table *table_new(const char *columns)
{
	struct table *table = calloc(1, sizeof(*table));
	_cleanup_free_ char *copy = strdup(columns);
	char *header, *rest = copy;

	if (!table || !copy)
		return table_free(table);
	while ((header = strsep(&rest, "|")) && table->n_columns < COLUMNS_MAX) {
		table->right[table->n_columns] = *header == '>';
		table_cell(table, *header == '>' ? header + 1 : header);
		table->n_columns++;
	}
	return table;
}

struct table *table_free(struct table *table)
{
	if (!table)
		return NULL;
	for (size_t i = 0; i < table->n_cells; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table);
	return NULL;
}

/* What others named must not be able to steer the operator's terminal. */
static void defuse(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

void table_cell(struct table *table, const char *text)
{
	char **cells, *copy;

	if (!table || table->error)
		return;
	copy = strdup(text ? text : "");
	cells = reallocarray(table->cells, table->n_cells + 1, sizeof(*cells));
	if (cells)
		table->cells = cells;
	if (!copy || !cells) {
		free(copy);
		table->error = -ENOMEM;
		return;
	}
	defuse(copy);
	table->cells[table->n_cells++] = copy;
}

void table_cellf(struct table *table, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list arguments;
	int r;

	va_start(arguments, format);
	r = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (r < 0) {
		text = NULL;
		if (table)
			table->error = -ENOMEM;
		return;
	}
	table_cell(table, text);
}

/* Columns of a terminal that text takes; bytes where it is not text of this locale. */
static size_t width_of(const char *text)
{
	wchar_t wide[512];
	size_t n = mbstowcs(wide, text, ARRAY_SIZE(wide));
	int width;

	if (n == (size_t)-1 || n == ARRAY_SIZE(wide))
		return strlen(text);
	width = wcswidth(wide, n);
	return width < 0 ? strlen(text) : (size_t)width;
}

static void print_cell(FILE *out, const char *text, size_t width, bool right, bool last)
{
	int padding = (int)(width - width_of(text));

	if (right)
		fprintf(out, "%*s%s", padding, "", text);
	else if (last)
		fputs(text, out);
	else
		fprintf(out, "%s%*s", text, padding, "");
}

int table_print(const struct table *table, const char *indent, FILE *out)
{
	size_t widths[COLUMNS_MAX] = {0};

	if (!table)
		return -ENOMEM;
	if (table->error)
		return table->error;
	for (size_t i = 0; i < table->n_cells; i++) {
		size_t width = width_of(table->cells[i]), *most = &widths[i % table->n_columns];

		if (width > *most)
			*most = width;
	}
	for (size_t i = 0; i < table->n_cells; i++) {
		size_t column = i % table->n_columns;
		bool last = column + 1 == table->n_columns;

		if (column == 0)
			fputs(indent, out);
		print_cell(out, table->cells[i], widths[column], table->right[column], last);
		fputs(last ? "\n" : "  ", out);
	}
	return 0;
}
