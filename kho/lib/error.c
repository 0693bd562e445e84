/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kho/lib/error.h"

/* The whole map, as kho(3) documents it. */
static const struct {
	const char *id;
	int error;
	const char *sentence;
} errors[] = {
	{"io.kho.Handover.NoSuchRegion", ENOENT, "there is no region of that name"},
	{"io.kho.Handover.RegionExists", EEXIST,
	 "there is a region of that name already: claim it"},
	{"io.kho.Handover.InvalidName", EINVAL,
	 "an argument is not valid: names have 1 to 255 bytes and no control characters"},
	{"io.kho.Handover.DuplicateMemory", EALREADY,
	 "it is so already: this memory is registered, or this handle watches, or has asked for "
	 "more time"},
	{"io.kho.Handover.AlreadyExtended", EALREADY,
	 "more time was asked for already: it can be had once"},
	{"io.kho.Handover.UnsupportedMemory", EOPNOTSUPP,
	 "memory of this kind can't be handed over: use a memfd"},
	{"io.kho.Handover.MemdescMismatch", EMEDIUMTYPE, "the memory is not what memdesc says"},
	{"io.kho.Handover.LimitReached", ENOSPC, "khod has as many as it can take"},
	{"io.kho.Handover.RegionLost", ENODATA,
	 "the region was lost in the last update: unregister it to start anew"},
	{"io.kho.Handover.RegionDamaged", EUCLEAN,
	 "the region's content has changed in the last update: claim it with KHO_TAKE_DAMAGED"},
	{"io.kho.Handover.UpdateInProgress", EBUSY,
	 "an update is on its way: try again when it is over"},
	{"io.kho.Handover.NoSuchParticipant", ESTALE, "no update waits for an answer"},
	{"io.kho.Handover.OrderCycle", ELOOP,
	 "the order in which services freeze would go in a circle"},
	{"io.kho.Handover.OrderNotAllowed", EPERM,
	 "a user's services can't have others wait for them"},
	{SD_VARLINK_ERROR_PERMISSION_DENIED, EACCES, "khod does not allow this"},
	{SD_VARLINK_ERROR_DISCONNECTED, ECONNRESET, "khod has closed the connection"},
	{SD_VARLINK_ERROR_TIMEOUT, ETIME, "khod has not answered in time"},
	{SD_VARLINK_ERROR_INVALID_PARAMETER, EINVAL, "khod does not take this argument"},
	{SD_VARLINK_ERROR_METHOD_NOT_FOUND, EPROTO, "khod and libkho don't understand each other"},
	{NULL, ECONNREFUSED,
	 "khod is not running on this machine: systemctl start khod.socket, or start khod"},
	{NULL, EMSGSIZE, "the region is smaller than it should be: claim it and grow it"},
	{NULL, ENOTCONN, "not watching: call kho_watch() first"},
};

const char *kho_strerror(int error)
{
	error = error < 0 ? -error : error;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].error == error)
			return errors[i].sentence;
	return strerrordesc_np(error) ?: "unknown error";
}

int fail(struct kho *k, int error, const char *format, ...)
{
	char *message = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&message, format, ap) < 0)
		message = NULL;
	va_end(ap);
	free(k->message);
	k->message = message;
	return error;
}

static int error_of_id(const char *id, sd_json_variant *parameters)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].id && strcmp(errors[i].id, id) == 0)
			return -errors[i].error;
	if (strncmp(id, "io.systemd.System", strlen("io.systemd.System")) == 0)
		return sd_varlink_error_to_errno(id, parameters);
	return -EPROTO;
}

int fail_varlink(struct kho *k, const char *error_id, sd_json_variant *parameters)
{
	sd_json_variant *message = sd_json_variant_by_key(parameters, "message");
	sd_json_variant *parameter = sd_json_variant_by_key(parameters, "parameter");
	int error = error_of_id(error_id, parameters);

	if (message && sd_json_variant_is_string(message))
		return fail(k, error, "%s", sd_json_variant_string(message));
	if (parameter && sd_json_variant_is_string(parameter))
		return fail(k, error, "%s: %s", kho_strerror(error),
			    sd_json_variant_string(parameter));
	return fail(k, error, "%s (%s)", kho_strerror(error), error_id);
}

bool is_disconnect(int error)
{
	switch (-error) {
	case ECONNRESET:
	case ECONNREFUSED:
	case ENOTCONN:
	case EPIPE:
		return true;
	default:
		return false;
	}
}
