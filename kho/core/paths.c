/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/core/paths.h"

#include "kho/core/cleanup.h"

static const char *directory(const char *variable, const char *standard)
{
	const char *set = secure_getenv(variable);

	return set && *set ? set : standard;
}

static char *join(const char *directory, const char *file)
{
	char *path;

	return asprintf(&path, "%s/%s", directory, file) < 0 ? NULL : path;
}

const char *runtime_dir(void)
{
	return directory("KHO_RUNTIME_DIR", KHO_RUNTIME_DIR);
}

const char *state_dir(void)
{
	return directory("KHO_STATE_DIR", KHO_STATE_DIR);
}

char *runtime_path(const char *file)
{
	return join(runtime_dir(), file);
}

char *state_path(const char *file)
{
	return join(state_dir(), file);
}
