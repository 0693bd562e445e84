/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLIENT_ERROR_H
#define KHO_CLIENT_ERROR_H

#include <systemd/sd-json.h>

#include "kho/client/exit-codes.h"

/* Why a call failed. Zeroed: it did not. */
struct client_error {
	char *id;		     /* as on the wire; NULL if it was not khod who said so */
	char *message;		     /* NULL: no memory for it */
	sd_json_variant *parameters; /* NULL if none came */
	enum exit_code exit_code;
};

void client_error_clear(struct client_error *e);

/* The connection to path could not be made: error is a negative errno. Returns error. */
int client_error_connect(struct client_error *e, int error, const char *path);

/* The connection broke during method, or was unusable: error is a negative errno. Returns error. */
int client_error_connection(struct client_error *e, int error, const char *method);

/* khod, or sd-varlink in its place, replied to method with id; parameters are borrowed. */
void client_error_reply(struct client_error *e, const char *method, const char *id,
			sd_json_variant *parameters);

#endif
