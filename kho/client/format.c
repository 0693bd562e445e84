/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kho/client/format.h"

#define USEC_PER_MSEC UINT64_C(1000)
#define USEC_PER_SEC UINT64_C(1000000)

char *format_size(uint64_t bytes, char buf[static FORMAT_SIZE_MAX])
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	unsigned unit = 0;
	uint64_t whole = bytes, rest = 0, tenths;

	while (whole >= 1024) {
		rest = whole % 1024;
		whole /= 1024;
		unit++;
	}
	tenths = rest * 10 / 1024;
	/* A size that is not exact is never shown as if it were: 64 MiB is 64 MiB to the byte. */
	if (unit == 0 || (whole << (10 * unit)) == bytes)
		snprintf(buf, FORMAT_SIZE_MAX, "%" PRIu64 " %s", whole, units[unit]);
	else
		snprintf(buf, FORMAT_SIZE_MAX, "%" PRIu64 ".%" PRIu64 " %s", whole, tenths,
			 units[unit]);
	return buf;
}

char *format_duration(uint64_t usec, char buf[static FORMAT_DURATION_MAX])
{
	uint64_t seconds = usec / USEC_PER_SEC;

	if (usec < USEC_PER_MSEC)
		snprintf(buf, FORMAT_DURATION_MAX, "%" PRIu64 " µs", usec);
	else if (seconds == 0)
		snprintf(buf, FORMAT_DURATION_MAX, "%" PRIu64 " ms", usec / USEC_PER_MSEC);
	else if (seconds < 60)
		snprintf(buf, FORMAT_DURATION_MAX, "%" PRIu64 ".%03" PRIu64 " s", seconds,
			 usec % USEC_PER_SEC / USEC_PER_MSEC);
	else if (seconds < 3600)
		snprintf(buf, FORMAT_DURATION_MAX, "%" PRIu64 " min %" PRIu64 " s", seconds / 60,
			 seconds % 60);
	else
		snprintf(buf, FORMAT_DURATION_MAX, "%" PRIu64 " h %" PRIu64 " min", seconds / 3600,
			 seconds / 60 % 60);
	return buf;
}

char *format_offset(uint64_t since_usec, uint64_t usec, char buf[static FORMAT_DURATION_MAX])
{
	char duration[FORMAT_DURATION_MAX];
	bool before = usec < since_usec;

	format_duration(before ? since_usec - usec : usec - since_usec, duration);
	snprintf(buf, FORMAT_DURATION_MAX, "%c%.*s", before ? '-' : '+', FORMAT_DURATION_MAX - 2,
		 duration);
	return buf;
}

char *format_time(uint64_t realtime_usec, char buf[static FORMAT_TIME_MAX])
{
	time_t seconds = (time_t)(realtime_usec / USEC_PER_SEC);
	char date[24], zone[12];
	struct tm tm;

	if (!localtime_r(&seconds, &tm)) {
		snprintf(buf, FORMAT_TIME_MAX, "@%" PRIu64, realtime_usec / USEC_PER_SEC);
		return buf;
	}
	strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &tm);
	strftime(zone, sizeof(zone), "%Z", &tm);
	snprintf(buf, FORMAT_TIME_MAX, "%s.%03u %s", date,
		 (unsigned)(realtime_usec % USEC_PER_SEC / USEC_PER_MSEC), zone);
	return buf;
}

const char *plural(uint64_t n, const char *one, const char *many)
{
	return n == 1 ? one : many;
}

/* The number at the start of text; *ret_rest is what follows it. */
static int parse_decimal(const char *text, long double *ret, char **ret_rest)
{
	long double value = 0, digit = 1;
	const char *p = text;

	/* Not strtold: it takes hexadecimal, "inf", and the locale's decimal comma. */
	for (; isdigit((unsigned char)*p); p++)
		value = value * 10 + (*p - '0');
	if (p == text)
		return -EINVAL;
	if (*p == '.') {
		if (!isdigit((unsigned char)p[1]))
			return -EINVAL;
		for (p++; isdigit((unsigned char)*p); p++)
			value += (*p - '0') * (digit /= 10);
	}
	*ret = value;
	*ret_rest = (char *)p;
	return 0;
}

int parse_size(const char *text, uint64_t *ret)
{
	static const char units[] = "KMGT";
	long double value;
	const char *unit;
	char *rest;
	int r;

	r = parse_decimal(text, &value, &rest);
	if (r < 0)
		return r;
	if (*rest) {
		unit = strchr(units, toupper((unsigned char)*rest));
		if (unit) {
			for (; unit >= units; unit--)
				value *= 1024;
			rest++;
			if (strcmp(rest, "iB") == 0 || strcmp(rest, "B") == 0)
				rest += strlen(rest);
		} else if (strcmp(rest, "B") == 0) {
			rest++;
		}
	}
	if (*rest)
		return -EINVAL;
	if (value >= 0x1p63L)
		return -ERANGE;
	*ret = (uint64_t)value;
	return 0;
}

int parse_seconds(const char *text, uint64_t *ret_usec)
{
	long double value;
	char *rest;
	int r;

	r = parse_decimal(text, &value, &rest);
	if (r < 0)
		return r;
	if (strcmp(rest, "s") == 0)
		rest++;
	if (*rest)
		return -EINVAL;
	if (value >= 0x1p62L / USEC_PER_SEC)
		return -ERANGE;
	*ret_usec = (uint64_t)(value * USEC_PER_SEC + 0.5L);
	return 0;
}

int parse_signal(const char *text)
{
	char *end;
	long number;

	if (isdigit((unsigned char)*text)) {
		number = strtol(text, &end, 10);
		return *end || number < 1 || number >= NSIG ? -EINVAL : (int)number;
	}
	if (strncmp(text, "SIG", 3) == 0)
		text += 3;
	for (int i = 1; i < NSIG; i++) {
		const char *name = sigabbrev_np(i);

		if (name && strcmp(name, text) == 0)
			return i;
	}
	return -EINVAL;
}

int parse_pair(const char *text, char **ret_name, const char **ret_value)
{
	const char *colon = strchr(text, ':');
	char *name;

	if (!colon || colon == text || !colon[1])
		return -EINVAL;
	name = strndup(text, (size_t)(colon - text));
	if (!name)
		return -ENOMEM;
	*ret_name = name;
	*ret_value = colon + 1;
	return 0;
}
