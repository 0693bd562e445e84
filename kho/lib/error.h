/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef KHO_LIB_ERROR_H
#define KHO_LIB_ERROR_H

#include "kho/lib/handle.h"

/*
 * Turns a varlink error into a negative errno, and keeps khod's sentence, or else makes one, as the
 * handle's message.
 */
int fail_varlink(struct kho *k, const char *error_id, sd_json_variant *parameters);

/* Whether an error of a call means that the connection is gone, and another may work. */
bool is_disconnect(int error);

#endif
