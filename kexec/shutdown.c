/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <string.h>

#include "kexec/carry.h"
#include "kexec/program.h"
#include "kexec/reload.h"
#include "kexec/run.h"
#include "kexec/status.h"

#define SYSTEMCTL "/usr/bin/systemctl"

bool run_is_staged(struct run *run)
{
	_cleanup_(status_done) struct status status = {};

	return run_connect(run) == EXIT_DONE && status_fetch(run->manager, &status) >= 0 &&
	       strcmp(status.state, "staged") == 0;
}

/* Nothing staged is left behind: whatever was to be shut down goes on. */
static enum exit_code drop(struct run *run, enum exit_code r)
{
	return r == EXIT_REFUSED ? run_undo(run, true, "the machine is not shut down") : r;
}

static int update_parameters(struct run *run, const char *reason, sd_json_variant **ret)
{
	return sd_json_buildo(
		ret, SD_JSON_BUILD_PAIR_STRING("update", run->update),
		SD_JSON_BUILD_PAIR_CONDITION(!!reason, "reason", SD_JSON_BUILD_STRING(reason)),
		SD_JSON_BUILD_PAIR_CONDITION(!!reason, "shutdownFailed",
					     SD_JSON_BUILD_BOOLEAN(true)));
}

static enum exit_code commit(struct run *run)
{
	_cleanup_(sd_json_variant_unrefp) sd_json_variant *parameters = NULL;
	int r;

	if (update_parameters(run, NULL, &parameters) < 0)
		return run_undo(run, true, "out of memory");
	r = manager_call(run->manager, "Commit", parameters, NULL);
	if (r == -EINTR)
		return run_undo(run, true, "interrupted");
	if (r < 0)
		return run_undo(run, true, manager_message(run->manager));
	return EXIT_DONE;
}

/* The image goes first: without the update it would be booted, and lose everything. */
static enum exit_code take_back(struct run *run, const char *reason)
{
	_cleanup_(sd_json_variant_unrefp) sd_json_variant *parameters = NULL;
	int unloaded = run_unload(run), r;

	r = update_parameters(run, reason, &parameters);
	if (r >= 0)
		r = manager_call(run->manager, "Abort", parameters, NULL);
	if (r < 0)
		return complain(run, EXIT_UNREACHABLE,
				"%s; to undo the update was not possible: %s", reason,
				manager_message(run->manager));
	return complain(run, EXIT_ABORTED, "%s%s", reason,
			unloaded < 0 ? "" : "; the update is undone");
}

/*
 * systemctl has logind begin the shutdown, and returns at once: what stands in its way, as an
 * inhibitor or another shutdown, is said here.
 */
static enum exit_code begin_shutdown(struct run *run)
{
	char *argv[] = {(char *)SYSTEMCTL, (char *)"kexec", NULL};
	bool interrupted = false;
	int r = program_run(SYSTEMCTL, argv, run->signal_fd, &interrupted);

	if (r == 0 || interrupted)
		return EXIT_DONE;
	return take_back(run, r > 0 ? "systemctl kexec does not shut the machine down"
				    : "can't run " SYSTEMCTL);
}

enum exit_code run_shutdown(struct run *run)
{
	_cleanup_(staged_done) struct staged staged = {};
	enum exit_code r = EXIT_DONE;

	if (!run->update) {
		r = run_connect(run);
		if (r == EXIT_DONE)
			r = run_find_staged(run);
		if (r != EXIT_DONE)
			return r;
	}
	r = run_check_carried(run);
	if (r == EXIT_DONE)
		r = run_reload(run, &staged);
	if (r != EXIT_DONE)
		return drop(run, r);
	r = commit(run);
	if (r != EXIT_DONE)
		return r;
	printf("shutting down into %s\n", run->release ?: "the next kernel");
	fflush(stdout);
	return begin_shutdown(run);
}

static int build_kind(const struct run *run, sd_json_variant **ret)
{
	return sd_json_buildo(ret, SD_JSON_BUILD_PAIR_STRING("kind", run->options->last_step));
}

/* Copies that go in the initrd are there only now; more memory is free than when there was room. */
static enum exit_code load_last(struct run *run, int archive)
{
	_cleanup_(staged_done) struct staged staged = {};
	_cleanup_close_ int owned = archive;
	enum exit_code r;

	if (archive < 0)
		return EXIT_DONE;
	r = run_find_checked(run, &staged);
	return r == EXIT_DONE ? run_load_archive(run, &staged, TAKE_FD(owned)) : r;
}

/* Late, and nothing can be refused: what goes wrong is khod's to write down. */
enum exit_code run_last_step(struct run *run)
{
	_cleanup_(sd_json_variant_unrefp) sd_json_variant *kind = NULL, *update = NULL;
	_cleanup_(status_done) struct status status = {};
	enum exit_code exit_code = run_connect(run);
	int r;

	if (exit_code != EXIT_DONE)
		return exit_code;
	if (build_kind(run, &kind) < 0)
		return complain(run, EXIT_LOCAL, "out of memory");
	r = manager_call(run->manager, "ShutDown", kind, NULL);
	if (r >= 0)
		r = status_fetch(run->manager, &status);
	if (r >= 0 && strcmp(status.state, "committed") == 0) {
		run->update = TAKE_PTR(status.update);
		if (update_parameters(run, NULL, &update) < 0)
			return complain(run, EXIT_LOCAL, "out of memory");
		r = run_call(run, "Freeze", update, NULL);
		if (r >= 0)
			return load_last(run, manager_take_fd(run->manager));
	}
	return r < 0 ? complain_manager(run) : EXIT_DONE;
}
