/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_LOG_H
#define KHO_DAEMON_LOG_H

#include <syslog.h>

/* One line on stderr, with the level that the journal reads where stderr is the journal. */
void log_line(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_notice(...) log_line(LOG_NOTICE, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERR, __VA_ARGS__)

#endif
