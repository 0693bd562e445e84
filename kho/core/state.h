/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CORE_STATE_H
#define KHO_CORE_STATE_H

/* Where an update stands; kho-tree(5) and io.kho.Manager spell the names. */
enum update_state {
	UPDATE_IDLE,
	UPDATE_PREPARING,
	UPDATE_PREPARED,
	UPDATE_STAGED,
	UPDATE_FREEZING,
	UPDATE_FROZEN,
	UPDATE_COMMITTED,
	UPDATE_ABORTING,
	UPDATE_RESTORING,
	_UPDATE_STATE_MAX,
};

/* The steps of an update of which the time is kept, in their order. */
enum moment {
	MOMENT_PREPARE,
	MOMENT_PREPARED,
	MOMENT_STAGED,
	MOMENT_FREEZE,
	MOMENT_FROZEN,
	MOMENT_COMMIT,
	MOMENT_KERNEL_START,
	MOMENT_DAEMON_START,
	MOMENT_RESTORED,
	MOMENT_FIRST_CLAIM,
	MOMENT_LAST_CLAIM,
	_MOMENT_MAX,
};

/* NULL if the value is none of the enum's. */
const char *update_state_to_string(enum update_state state);
const char *moment_to_string(enum moment moment);

/* -EINVAL if the name is none of the enum's, or NULL. */
int update_state_from_string(const char *name);
int moment_from_string(const char *name);

#endif
