/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLIENT_FORMAT_H
#define KHO_CLIENT_FORMAT_H

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

enum {
	FORMAT_SIZE_MAX = 16,
	FORMAT_DURATION_MAX = 40,
	FORMAT_TIME_MAX = 48,
};

/* Bytes for people: "0 B", "512 B", "1.5 KiB", "64 MiB". Returns buf. */
char *format_size(uint64_t bytes, char buf[static FORMAT_SIZE_MAX]);

/* Microseconds for people: "850 µs", "12 ms", "1.204 s", "3 min 5 s". Returns buf. */
char *format_duration(uint64_t usec, char buf[static FORMAT_DURATION_MAX]);

/* "+1.204 s" after (or "-…" before) an earlier moment; both in microseconds. Returns buf. */
char *format_offset(uint64_t since_usec, uint64_t usec, char buf[static FORMAT_DURATION_MAX]);

/* CLOCK_REALTIME microseconds as local time: "2026-03-01 02:59:59.123 CET". Returns buf. */
char *format_time(uint64_t realtime_usec, char buf[static FORMAT_TIME_MAX]);

/* "1 region", "3 regions". */
const char *plural(uint64_t n, const char *one, const char *many);

/*
 * Bytes from "64M", "1.5G", "4096": K, M, G, T with or without iB, powers of 1024. Returns 0,
 * -EINVAL if it is no size, -ERANGE if it is none below 2^63.
 */
int parse_size(const char *text, uint64_t *ret);

/* Seconds, with a fraction if need be, in microseconds. Returns 0, -EINVAL or -ERANGE. */
int parse_seconds(const char *text, uint64_t *ret_usec);

/* "USR1", "SIGUSR1", "10". Returns the signal's number or -EINVAL. */
int parse_signal(const char *text);

/* Splits "NAME:VALUE" at the first colon, both not empty. Returns 0, -EINVAL or -ENOMEM. */
int parse_pair(const char *text, char **ret_name, const char **ret_value);

#endif
