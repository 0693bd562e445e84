/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLI_JSON_OPTION_H
#define KHO_CLI_JSON_OPTION_H

#include <stdbool.h>

/*
 * The options of a verb that has --json and --help, and takes no arguments. true: go on; false:
 * *ret_code is what to exit with, and what there was to say is said.
 */
bool json_option_only(int argc, char *argv[], bool *ret_json, int *ret_code);

#endif
