/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdarg.h>

#include "kho/core/cleanup.h"
#include "kho/transport/message.h"

const char *format_bytes(char buf[static BYTES_MAX], uint64_t bytes)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	size_t unit = 0;
	double value = (double)bytes / 1024;

	if (bytes < 1024) {
		snprintf(buf, BYTES_MAX, "%" PRIu64 " bytes", bytes);
		return buf;
	}
	/* What would be printed as 1024.0 is one of the next unit. */
	while (value >= 1023.95 && unit + 1 < ARRAY_SIZE(units)) {
		value /= 1024;
		unit++;
	}
	snprintf(buf, BYTES_MAX, "%.1f %s", value, units[unit]);
	return buf;
}

static char *message_format(const char *format, va_list ap)
{
	char *text;

	return vasprintf(&text, format, ap) < 0 ? NULL : text;
}

void message_set(char **message, const char *format, ...)
{
	va_list ap;

	if (!message)
		return;
	free(*message);
	va_start(ap, format);
	*message = message_format(format, ap);
	va_end(ap);
}

void message_append(char **message, const char *format, ...)
{
	_cleanup_free_ char *more = NULL;
	char *both;
	va_list ap;

	va_start(ap, format);
	more = message_format(format, ap);
	va_end(ap);
	if (!more || asprintf(&both, "%s%s", *message ? *message : "", more) < 0)
		return;
	free(*message);
	*message = both;
}
