/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLI_SAY_H
#define KHO_CLI_SAY_H

/* One line to stderr, after "kho: ". */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
