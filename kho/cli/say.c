/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdio.h>

#include "kho/cli/say.h"

void say(const char *format, ...)
{
	char line[2048];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	/* One write: the journal and other programs' stderr must not cut the line. */
	fprintf(stderr, "kho: %s\n", line);
}
