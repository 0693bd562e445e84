/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "initrd/tell.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kho/core/cleanup.h"

#define LINE_LENGTH_MAX 512

void tell(const char *format, ...)
{
	_cleanup_close_ int log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	char line[LINE_LENGTH_MAX] = "<3>kho: ";
	size_t level = strlen("<3>"), start = strlen(line);
	va_list ap;

	va_start(ap, format);
	vsnprintf(line + start, sizeof(line) - start - 1, format, ap);
	va_end(ap);
	strcat(line, "\n");
	if (log < 0 || write(log, line, strlen(line)) < 0)
		(void)!write(STDERR_FILENO, line + level, strlen(line) - level);
}
