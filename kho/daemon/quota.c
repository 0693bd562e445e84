/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <sys/sysinfo.h>

#include "kho/core/cleanup.h"
#include "kho/daemon/quota.h"

#define USER_PREFIX "uid:"

static bool is_user(const char *owner)
{
	return !strncmp(owner, USER_PREFIX, strlen(USER_PREFIX));
}

static size_t account_length(const char *owner)
{
	return is_user(owner) ? strcspn(owner, "/") : strlen(owner);
}

bool quota_is_shared(const char *owner, const char *other)
{
	size_t n = account_length(owner);

	return n == account_length(other) && !memcmp(owner, other, n);
}

/* As much as a user gets of a tmpfs. */
static uint64_t half_of_memory(void)
{
	struct sysinfo info;

	return sysinfo(&info) < 0 ? UINT64_MAX : (uint64_t)info.totalram * info.mem_unit / 2;
}

bool owner_is_trusted(const char *owner)
{
	return !is_user(owner) || quota_is_shared(owner, USER_PREFIX "0");
}

struct quota quota_of(const char *owner)
{
	/* To want no memory that is not there. */
	if (owner_is_trusted(owner))
		return (struct quota){.connections = 1024, .regions = 1024, .bytes = UINT64_MAX};
	/* Each connection can pin a message of 16 MiB here, and 253 fds. */
	return (struct quota){.connections = 64, .regions = 256, .bytes = half_of_memory()};
}
