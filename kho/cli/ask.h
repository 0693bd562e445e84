/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLI_ASK_H
#define KHO_CLI_ASK_H

#include "kho/client/manager.h"

/*
 * One call to khod's Manager. *ret_reply is the caller's to unref; *ret_fd (may be NULL) the first
 * fd that came with it, the caller's to close, or negative. Says what went wrong, on stderr, and
 * returns the exit code; EXIT_DONE if all is well.
 */
enum exit_code ask_manager(const char *method, sd_json_variant *parameters,
			   sd_json_variant **ret_reply, int *ret_fd);

/* For manager_set_silent(). */
void say_silence(const char *method, void *userdata);

#endif
