/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <sys/signalfd.h>

#include "kexec/program.h"
#include "kexec/run.h"
#include "kexec/status.h"

/*
 * The update's id is only in Prepare's reply, and that is what an interrupted run never got. An
 * update in khod's status is this run's if khod has told it of any progress; if not, it may be
 * another's, but one that is being aborted anyway can be waited for.
 */
static int find_update(struct run *run, struct manager *m)
{
	_cleanup_(status_done) struct status status = {};
	int r;

	if (run->update)
		return 0;
	r = status_fetch(m, &status);
	if (r < 0)
		return r;
	if (run->progress.any || strcmp(status.state, "aborting") == 0)
		run->update = TAKE_PTR(status.update);
	return 0;
}

static int call_abort(struct run *run, struct manager *m, const char *reason)
{
	_cleanup_(sd_json_variant_unrefp) sd_json_variant *parameters = NULL;
	int r;

	r = sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("update", run->update),
			   SD_JSON_BUILD_PAIR_STRING("reason", reason));
	if (r < 0)
		return r;
	r = manager_call(m, "Abort", parameters, NULL);
	/* khod was faster: it aborts by itself when a connection breaks. */
	if (r == MANAGER_ERROR_REPLY && manager_error(m) &&
	    strcmp(manager_error(m), "NoUpdate") == 0)
		return 0;
	return r;
}

/* On a connection of its own, as the first one may be busy. Returns when all is released. */
static int abort_update(struct run *run, struct manager *m, const char *reason)
{
	int r;

	/* That makes khod abort, and is all there is to do if it has hardly begun. */
	if (!run->update && !run->progress.any)
		manager_disconnect(run->manager);
	r = manager_connect(m);
	if (r < 0)
		return r;
	r = find_update(run, m);
	if (r < 0 || !run->update)
		return r;
	return call_abort(run, m, reason);
}

int run_unload(struct run *run)
{
	char *argv[] = {run->program, (char *)"-u", NULL};
	bool interrupted;
	int r;

	r = program_run(run->program, argv, run->signal_fd, &interrupted);
	if (r == 0)
		return 0;
	complain(
		run, EXIT_LOCAL,
		"the loaded kernel could not be dropped: do so by kexec -u before anything reboots");
	return r < 0 ? r : -EIO;
}

/* They have done what they were to do; the next one ends an undoing that hangs. */
static void forget_signals(struct run *run)
{
	struct signalfd_siginfo info;

	while (read(run->signal_fd, &info, sizeof(info)) == sizeof(info))
		;
}

enum exit_code run_undo(struct run *run, bool unload, const char *reason)
{
	_cleanup_manager_ struct manager *m = NULL;
	int unloaded = 0;

	forget_signals(run);
	/* In this order: an image without its update would be booted, and lose everything. */
	if (unload)
		unloaded = run_unload(run);
	if (manager_new(&m) < 0)
		return complain(run, EXIT_UNREACHABLE, "%s; out of memory", reason);
	run_attend(run, m);
	if (abort_update(run, m, reason) < 0)
		return complain(run, EXIT_UNREACHABLE,
				"%s; to undo the update was not possible: %s", reason,
				manager_message(m));
	if (unloaded < 0)
		return complain(run, EXIT_ABORTED, "%s", reason);
	return complain(run, EXIT_ABORTED, "%s; the update is undone", reason);
}
