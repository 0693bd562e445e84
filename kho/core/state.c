/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/core/state.h"

#include "kho/core/cleanup.h"
#include "kho/core/text.h"

static const char *const state_names[] = {
	[UPDATE_IDLE] = "idle",		  [UPDATE_PREPARING] = "preparing",
	[UPDATE_PREPARED] = "prepared",	  [UPDATE_STAGED] = "staged",
	[UPDATE_FREEZING] = "freezing",	  [UPDATE_FROZEN] = "frozen",
	[UPDATE_COMMITTED] = "committed", [UPDATE_ABORTING] = "aborting",
	[UPDATE_RESTORING] = "restoring",
};
_Static_assert(ARRAY_SIZE(state_names) == _UPDATE_STATE_MAX, "a state without a name");

static const char *const moment_names[] = {
	[MOMENT_PREPARE] = "prepare",
	[MOMENT_PREPARED] = "prepared",
	[MOMENT_STAGED] = "staged",
	[MOMENT_FREEZE] = "freeze",
	[MOMENT_FROZEN] = "frozen",
	[MOMENT_COMMIT] = "commit",
	[MOMENT_KERNEL_START] = "kernel-start",
	[MOMENT_DAEMON_START] = "daemon-start",
	[MOMENT_RESTORED] = "restored",
	[MOMENT_FIRST_CLAIM] = "first-claim",
	[MOMENT_LAST_CLAIM] = "last-claim",
};
_Static_assert(ARRAY_SIZE(moment_names) == _MOMENT_MAX, "a moment without a name");

const char *update_state_to_string(enum update_state state)
{
	return (unsigned int)state < ARRAY_SIZE(state_names) ? state_names[state] : NULL;
}

const char *moment_to_string(enum moment moment)
{
	return (unsigned int)moment < ARRAY_SIZE(moment_names) ? moment_names[moment] : NULL;
}

int update_state_from_string(const char *name)
{
	return text_lookup(state_names, ARRAY_SIZE(state_names), name);
}

int moment_from_string(const char *name)
{
	return text_lookup(moment_names, ARRAY_SIZE(moment_names), name);
}
