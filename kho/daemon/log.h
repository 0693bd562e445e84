/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_LOG_H
#define KHO_DAEMON_LOG_H

#include <syslog.h>

#include "kho/core/tree.h"
#include "kho/daemon/messages.h"

/* Bytes; what is longer is cut. */
#define LOG_LINE_MAX 4096

/* What a message is about; what is NULL is left out. All of it is borrowed. */
struct log_about {
	const struct handover *tree; /* KHO_UPDATE= and KHO_STATE= */
	const char *owner;  /* KHO_OWNER=, and the fields by which journalctl -u finds it */
	const char *region; /* KHO_REGION= */
	const char *cause;  /* KHO_CAUSE=, as Refused of io.kho.Manager has it */
	const char *result; /* KHO_RESULT=, as Report of io.kho.Manager has it */
};

/*
 * One line, with its MESSAGE_ID and fields where stderr is the journal; else the line alone on
 * stderr. about may be NULL.
 */
void log_message(int level, enum message message, const struct log_about *about, const char *format,
		 ...) __attribute__((format(printf, 4, 5)));

#define log_line(level, ...) log_message(level, MESSAGE_NONE, NULL, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_notice(...) log_line(LOG_NOTICE, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERR, __VA_ARGS__)

#endif
