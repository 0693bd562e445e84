/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <systemd/sd-json.h>

#include "kho/daemon/handover-error.h"

int handover_error(sd_varlink *link, const char *error, const char *name, const char *format, ...)
{
	_cleanup_free_ char *message = NULL;
	va_list ap;
	int r;

	va_start(ap, format);
	r = vasprintf(&message, format, ap);
	va_end(ap);
	if (r < 0)
		return -ENOMEM;
	return sd_varlink_errorbo(link, error, SD_JSON_BUILD_PAIR_STRING("name", name),
				  SD_JSON_BUILD_PAIR_STRING("message", message));
}

int handover_message(struct peer *peer, const char *error, const char *format, ...)
{
	_cleanup_free_ char *message = NULL, *id = NULL;
	va_list ap;
	int r;

	va_start(ap, format);
	r = vasprintf(&message, format, ap);
	va_end(ap);
	if (r < 0 || asprintf(&id, HANDOVER_ERROR("%s"), error) < 0)
		return -ENOMEM;
	return sd_varlink_errorbo(peer->link, id, SD_JSON_BUILD_PAIR_STRING("message", message));
}

int handover_no_such_region(struct peer *peer, const char *name)
{
	return handover_error(peer->link, HANDOVER_ERROR("NoSuchRegion"), name,
			      "%s has no region \"%s\"", peer->owner, name);
}

int handover_update_in_progress(struct peer *peer, const char *what)
{
	const struct handover *tree = peer->manager->registry.tree;
	const char *update = tree->update_id ? tree->update_id : "";
	const char *state = update_state_to_string(peer->manager->update->state);
	_cleanup_free_ char *message = NULL;
	int r;

	if (peer->manager->update->state == UPDATE_IDLE)
		r = asprintf(&message, "the update is over: it was undone");
	else
		r = asprintf(&message, "update %s is %s: %s now; wait, or kexec --kho -u", update,
			     state, what);
	if (r < 0)
		return -ENOMEM;
	return sd_varlink_errorbo(peer->link, HANDOVER_ERROR("UpdateInProgress"),
				  SD_JSON_BUILD_PAIR_STRING("update", update),
				  SD_JSON_BUILD_PAIR_STRING("state", state),
				  SD_JSON_BUILD_PAIR_STRING("message", message));
}
