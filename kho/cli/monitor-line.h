/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLI_MONITOR_LINE_H
#define KHO_CLI_MONITOR_LINE_H

#include <systemd/sd-json.h>

/*
 * An event of io.kho.Manager.Monitor in words, with the local time, without a newline or any other
 * control character. The caller's to free; NULL: out of memory.
 */
char *monitor_line(sd_json_variant *event);

#endif
