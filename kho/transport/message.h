/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_TRANSPORT_MESSAGE_H
#define KHO_TRANSPORT_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

/* Room for any number of bytes as text. */
#define BYTES_MAX 16

/* "17 bytes", "4.0 KiB", "1.5 GiB" …; returns buf. */
const char *format_bytes(char buf[static BYTES_MAX], uint64_t bytes);

/* Replaces *message, which may be NULL inside but not itself unless the text is not wanted. */
void message_set(char **message, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends to *message; without memory the text stays as it is. */
void message_append(char **message, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
