/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <string.h>
#include <systemd/sd-varlink.h>

#include "kho/client/error.h"
#include "kho/core/cleanup.h"

#define INTERFACE_PREFIX "io.kho.Manager."

void client_error_clear(struct client_error *e)
{
	free(e->id);
	free(e->message);
	sd_json_variant_unref(e->parameters);
	*e = (struct client_error){};
}

static void set_message(struct client_error *e, enum exit_code exit_code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void set_message(struct client_error *e, enum exit_code exit_code, const char *format, ...)
{
	va_list ap;

	free(e->message);
	va_start(ap, format);
	if (vasprintf(&e->message, format, ap) < 0)
		e->message = NULL;
	va_end(ap);
	e->exit_code = exit_code;
}

/* How to start khod on this machine. */
static const char *way_to_start(void)
{
	if (access("/run/systemd/system", F_OK) == 0)
		return "systemctl start khod";
	return "start khod as root";
}

int client_error_connect(struct client_error *e, int error, const char *path)
{
	client_error_clear(e);
	switch (error) {
	case -ENOENT:
	case -ECONNREFUSED:
		set_message(e, EXIT_UNREACHABLE, "khod is not running: %s", way_to_start());
		break;
	case -EACCES:
	case -EPERM:
		set_message(e, EXIT_UNREACHABLE, "%s is for root alone: run this as root", path);
		break;
	default:
		set_message(e, EXIT_UNREACHABLE, "can't reach khod on %s: %s", path,
			    strerror(-error));
	}
	return error;
}

int client_error_connection(struct client_error *e, int error, const char *method)
{
	client_error_clear(e);
	switch (error) {
	case -EINTR:
		set_message(e, EXIT_ABORTED, "interrupted during %s", method);
		break;
	case -ENOMEM:
		set_message(e, EXIT_LOCAL, "out of memory");
		break;
	default:
		set_message(e, EXIT_UNREACHABLE, "can't talk to khod (%s): %s: journalctl -u khod",
			    method, strerror(-error));
	}
	return error;
}

static const char *string_field(sd_json_variant *parameters, const char *name)
{
	sd_json_variant *field = sd_json_variant_by_key(parameters, name);

	return field && sd_json_variant_is_string(field) ? sd_json_variant_string(field) : NULL;
}

/* An error of io.kho.Manager brings its own line; the update's id may be in a field only. */
static void own_error(struct client_error *e, const char *method, const char *message)
{
	const char *update = string_field(e->parameters, "update");
	enum exit_code exit_code = EXIT_REFUSED;

	if (strcmp(e->id, INTERFACE_PREFIX "RegionLost") == 0 ||
	    strcmp(e->id, INTERFACE_PREFIX "RegionDamaged") == 0)
		exit_code = EXIT_LOST;
	if (update && !strstr(message, update))
		set_message(e, exit_code, "%s (update %s)", message, update);
	else
		set_message(e, exit_code, "%s", message);
}

static void foreign_error(struct client_error *e, const char *method)
{
	if (strcmp(e->id, SD_VARLINK_ERROR_DISCONNECTED) == 0)
		set_message(e, EXIT_UNREACHABLE,
			    "khod went away before it answered %s: journalctl -u khod", method);
	else if (strcmp(e->id, SD_VARLINK_ERROR_PERMISSION_DENIED) == 0)
		set_message(e, EXIT_REFUSED, "khod allows %s to root alone: run this as root",
			    method);
	else if (strcmp(e->id, SD_VARLINK_ERROR_METHOD_NOT_FOUND) == 0 ||
		 strcmp(e->id, SD_VARLINK_ERROR_INTERFACE_NOT_FOUND) == 0 ||
		 strcmp(e->id, SD_VARLINK_ERROR_METHOD_NOT_IMPLEMENTED) == 0)
		set_message(e, EXIT_REFUSED,
			    "the running khod does not know %s: systemctl restart khod, "
			    "it may be of another version",
			    method);
	else if (strcmp(e->id, SD_VARLINK_ERROR_INVALID_PARAMETER) == 0)
		set_message(e, EXIT_REFUSED, "khod does not take \"%s\" of %s",
			    string_field(e->parameters, "parameter") ?: "a parameter", method);
	else if (strcmp(e->id, SD_VARLINK_ERROR_SYSTEM) == 0)
		set_message(e, EXIT_REFUSED, "%s failed in khod: %s: journalctl -u khod", method,
			    strerror(abs(sd_varlink_error_to_errno(e->id, e->parameters))));
	else
		set_message(e, EXIT_REFUSED, "%s failed in khod: %s: journalctl -u khod", method,
			    e->id);
}

void client_error_reply(struct client_error *e, const char *method, const char *id,
			sd_json_variant *parameters)
{
	_cleanup_free_ char *own_id = strdup(id);
	const char *message;

	client_error_clear(e);
	if (!own_id) {
		client_error_connection(e, -ENOMEM, method);
		return;
	}
	e->id = TAKE_PTR(own_id);
	e->parameters = sd_json_variant_ref(parameters);
	message = string_field(parameters, "message");
	if (message && strncmp(id, INTERFACE_PREFIX, strlen(INTERFACE_PREFIX)) == 0)
		own_error(e, method, message);
	else
		foreign_error(e, method);
}
