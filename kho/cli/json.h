/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLI_JSON_H
#define KHO_CLI_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-json.h>

#include "kho/core/cleanup.h"

static inline void json_unrefp(sd_json_variant **v)
{
	sd_json_variant_unref(*v);
}

#define _cleanup_json_ _cleanup_(json_unrefp)

/*
 * Fields of an object that came from khod. One that is missing, null, or of another type reads as
 * "", 0, false, or an array of length 0: what is shown must not depend on khod's version.
 * Everything returned is borrowed from object.
 */
const char *json_string(sd_json_variant *object, const char *field);
uint64_t json_unsigned(sd_json_variant *object, const char *field);
bool json_boolean(sd_json_variant *object, const char *field);
sd_json_variant *json_array(sd_json_variant *object, const char *field);

/* Whether field is there and not null. */
bool json_has(sd_json_variant *object, const char *field);

/* Number of elements; 0 for NULL. */
size_t json_length(sd_json_variant *array);

/* Writes one document to stdout: one line for programs, indented on a terminal. */
void json_print(sd_json_variant *document);

#endif
