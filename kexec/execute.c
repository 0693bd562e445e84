/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <string.h>
#include <sys/reboot.h>

#include "kexec/carry.h"
#include "kexec/reload.h"
#include "kexec/run.h"
#include "kexec/status.h"
#include "kexec/stored.h"
#include "kho/client/format.h"

struct frozen {
	uint64_t regions;
	uint64_t digested;
	char **warnings;
};

static void frozen_done(struct frozen *frozen)
{
	free_strv(&frozen->warnings);
}

static int read_frozen(sd_json_variant *reply, struct frozen *ret)
{
	static const sd_json_dispatch_field table[] = {
		{"regions", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64,
		 offsetof(struct frozen, regions), 0},
		{"digested", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64,
		 offsetof(struct frozen, digested), 0},
		{"warnings", SD_JSON_VARIANT_ARRAY, sd_json_dispatch_strv,
		 offsetof(struct frozen, warnings), SD_JSON_NULLABLE},
		{}};

	return sd_json_dispatch(reply, table, SD_JSON_ALLOW_EXTENSIONS, ret);
}

/* khod undoes an update that it refuses to freeze, but knows nothing of unloading. */
static enum exit_code freeze_failed(struct run *run, int error)
{
	const char *name = manager_error(run->manager);

	if (error == -EINTR)
		return run_undo(run, true, "interrupted");
	if (error == MANAGER_ERROR_REPLY && name && strcmp(name, "UpdateInProgress") == 0)
		return complain_manager(run);
	if (error == MANAGER_ERROR_REPLY && name && strcmp(name, "NoUpdate") == 0) {
		/* Dropped by somebody else, who can't have unloaded what was loaded again since. */
		(void)run_unload(run);
		return complain_manager(run);
	}
	return run_undo(run, true, manager_message(run->manager));
}

static enum exit_code freeze(struct run *run, sd_json_variant *lost, struct frozen *ret)
{
	_cleanup_(sd_json_variant_unrefp) sd_json_variant *parameters = NULL, *reply = NULL;
	uint64_t timeout = run->options->timeout_usec;
	int r;

	r = sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("update", run->update),
			   SD_JSON_BUILD_PAIR_CONDITION(timeout > 0, "timeoutUSec",
							SD_JSON_BUILD_UNSIGNED(timeout)),
			   SD_JSON_BUILD_PAIR_VARIANT("notCarried", lost));
	if (r < 0)
		return complain(run, EXIT_LOCAL, "out of memory");
	r = run_call(run, "Freeze", parameters, &reply);
	if (r < 0)
		return freeze_failed(run, r);
	if (read_frozen(reply, ret) < 0) {
		manager_bad_reply(run->manager, "Freeze");
		return run_undo(run, true, manager_message(run->manager));
	}
	show_warnings(run, ret->warnings);
	return EXIT_DONE;
}

/*
 * khod does not wait for ever in this state, and syncing may have taken long: an update that it has
 * aborted meanwhile must not be executed.
 */
static int check_still_frozen(struct run *run)
{
	_cleanup_(status_done) struct status status = {};
	int r;

	r = status_fetch(run->manager, &status);
	if (r < 0)
		return r;
	if (strcmp(status.state, "frozen") != 0 || !status.update ||
	    strcmp(status.update, run->update) != 0)
		return -ETIME;
	return 0;
}

/* The connection stays open: should this process be killed now, khod sees that and aborts. */
static enum exit_code reboot_into_next(struct run *run)
{
	_cleanup_free_ char *reason = NULL;
	int r;

	if (!run->options->no_sync)
		sync();
	r = check_still_frozen(run);
	if (r == -ETIME)
		return run_undo(run, true, "syncing the file systems took too long: try again");
	if (r == -EINTR)
		return run_undo(run, true, "interrupted");
	if (r < 0)
		return run_undo(run, true, manager_message(run->manager));
	reboot(RB_KEXEC);
	if (asprintf(&reason, "the kernel refused to execute the next one: %s", strerror(errno)) <
	    0)
		reason = NULL;
	return run_undo(run, true, reason ?: "the kernel refused to execute the next one");
}

enum exit_code run_execute(struct run *run)
{
	_cleanup_(sd_json_variant_unrefp) sd_json_variant *lost = NULL;
	_cleanup_(frozen_done) struct frozen frozen = {};
	_cleanup_(staged_done) struct staged staged = {};
	enum exit_code r;

	if (!run->update) {
		r = run_connect(run);
		if (r == EXIT_DONE)
			r = run_find_staged(run);
		if (r != EXIT_DONE)
			return r;
	}
	r = run_check_carried(run);
	if (r == EXIT_DONE)
		r = stored_refuse(run, &lost);
	if (r != EXIT_DONE)
		return r;
	/* The bulk of it, while services still run: once they are frozen, every moment counts. */
	if (!run->options->no_sync)
		sync();
	r = run_reload(run, &staged);
	if (r != EXIT_DONE)
		return r;
	r = freeze(run, lost, &frozen);
	if (r == EXIT_DONE)
		r = run_load_archive(run, &staged, manager_take_fd(run->manager));
	if (r != EXIT_DONE)
		return r;
	printf("executing %s: %" PRIu64 " %s frozen, %" PRIu64 " with a digest\n",
	       run->release ?: "the next kernel", frozen.regions,
	       plural(frozen.regions, "region", "regions"), frozen.digested);
	fflush(stdout);
	return reboot_into_next(run);
}
