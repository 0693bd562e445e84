/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "kho/kernel/version-order.h"

/* Not ctype.h: what a version is does not depend on the locale. */
#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define SEPARATORS "-^."

static int compare_numbers(long a, long b)
{
	return (a > b) - (a < b);
}

/* What begins with the separator is older than what does not; both step over it. */
static int step_over(const char **a, const char **b, char separator)
{
	int r = compare_numbers(**a != separator, **b != separator);

	if (r == 0 && **a == separator) {
		(*a)++;
		(*b)++;
	}
	return r;
}

/* A number of any length: leading zeroes mean nothing, and then the longer one is larger. */
static int compare_digits(const char **a, const char **b)
{
	size_t length_a, length_b;
	int r = compare_numbers(strspn(*a, DIGITS) > 0, strspn(*b, DIGITS) > 0);

	if (r != 0)
		return r;
	*a += strspn(*a, "0");
	*b += strspn(*b, "0");
	length_a = strspn(*a, DIGITS);
	length_b = strspn(*b, DIGITS);
	r = compare_numbers((long)length_a, (long)length_b);
	if (r == 0)
		r = strncmp(*a, *b, length_a);
	*a += length_a;
	*b += length_b;
	return r;
}

static int compare_letters(const char **a, const char **b)
{
	size_t length_a = strspn(*a, LETTERS), length_b = strspn(*b, LETTERS);
	int r = strncmp(*a, *b, length_a < length_b ? length_a : length_b);

	if (r == 0)
		r = compare_numbers((long)length_a, (long)length_b);
	*a += length_a;
	*b += length_b;
	return r;
}

static int compare_segment(const char **a, const char **b)
{
	int r = 0;

	for (const char *separator = SEPARATORS; r == 0 && *separator; separator++)
		r = step_over(a, b, *separator);
	if (r != 0)
		return r;
	if (strspn(*a, DIGITS) > 0 || strspn(*b, DIGITS) > 0)
		return compare_digits(a, b);
	return compare_letters(a, b);
}

int version_compare(const char *a, const char *b)
{
	a = a ?: "";
	b = b ?: "";
	for (;;) {
		int r;

		a += strcspn(a, DIGITS LETTERS SEPARATORS "~");
		b += strcspn(b, DIGITS LETTERS SEPARATORS "~");
		/* A release before the release: older even than nothing. */
		r = step_over(&a, &b, '~');
		if (r == 0 && (!*a || !*b))
			return compare_numbers(!!*a, !!*b);
		if (r == 0)
			r = compare_segment(&a, &b);
		if (r != 0)
			return r;
	}
}
