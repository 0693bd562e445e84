/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdbool.h>
#include <string.h>
#include <systemd/sd-login.h>

#include "kho/core/cleanup.h"
#include "kho/daemon/owner.h"

static bool is_service(const char *unit)
{
	size_t n = strlen(unit), suffix = strlen(".service");

	return n > suffix && !strcmp(unit + n - suffix, ".service");
}

/* The system unit that a user manager itself runs in is no service of the administrator's. */
static bool is_user_manager(const char *unit)
{
	return !strncmp(unit, "user@", strlen("user@"));
}

int owner_of_peer(sd_varlink *link, char **ret)
{
	uid_t uid;
	int r = sd_varlink_get_peer_uid(link, &uid);

	return r < 0 ? r : owner_of(uid, sd_varlink_get_peer_pidfd(link), ret);
}

int owner_of(uid_t uid, int pidfd, char **ret)
{
	_cleanup_free_ char *unit = NULL, *user_unit = NULL;
	char *owner = NULL;
	uid_t manager_uid;
	int r;

	if (pidfd >= 0 && sd_pidfd_get_user_unit(pidfd, &user_unit) >= 0 && is_service(user_unit) &&
	    sd_pidfd_get_owner_uid(pidfd, &manager_uid) >= 0)
		r = asprintf(&owner, "uid:%u/%s", manager_uid, user_unit);
	else if (pidfd >= 0 && sd_pidfd_get_unit(pidfd, &unit) >= 0 && is_service(unit) &&
		 !is_user_manager(unit))
		r = asprintf(&owner, "%s", unit);
	else
		r = asprintf(&owner, "uid:%u", uid);
	if (r < 0)
		return -ENOMEM;
	*ret = owner;
	return 0;
}
