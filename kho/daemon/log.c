/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "kho/core/cleanup.h"
#include "kho/core/text.h"
#include "kho/daemon/log.h"

#define LINE_MAX_BYTES 4096

void log_line(int level, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	va_start(ap, format);
	/* A name or a reason that a peer made up must not look like a line of khod's. */
	text = text_vformat(LINE_MAX_BYTES, format, ap);
	va_end(ap);
	if (!text)
		return;
	if (getenv("JOURNAL_STREAM"))
		fprintf(stderr, "<%d>%s\n", level, text);
	else
		fprintf(stderr, "khod: %s\n", text);
}
