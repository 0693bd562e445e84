/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "kexec/finalize.h"
#include "kexec/load.h"
#include "kexec/reload.h"
#include "kexec/status.h"

/* Where nothing stays in place, nothing has been finalized. */
static void find_manner(struct run *run)
{
	_cleanup_(staged_done) struct staged staged = {};

	if (staged_read(&staged) >= 0 && strcmp(staged.update, run->update) == 0)
		run->by_copy = staged.by_copy;
}

enum exit_code run_find_staged(struct run *run)
{
	_cleanup_(status_done) struct status status = {};
	int r;

	r = status_fetch(run->manager, &status);
	if (r < 0)
		return complain_manager(run);
	if (strcmp(status.state, "idle") == 0)
		return complain(run, EXIT_REFUSED,
				"nothing is staged: kexec --kho -l KERNEL first");
	if (strcmp(status.state, "staged") != 0)
		return complain(run, EXIT_REFUSED, "update %s is %s, not staged: kexec --kho -S",
				status.update ?: "in progress", status.state);
	if (!status.kexec_loaded)
		return complain(run, EXIT_REFUSED,
				"update %s is staged, but the kernel it goes to is no longer "
				"loaded: kexec --kho -u, and stage anew",
				status.update);
	run->update = TAKE_PTR(status.update);
	run->release = TAKE_PTR(status.next_release);
	find_manner(run);
	return EXIT_DONE;
}

enum exit_code run_check_carried(struct run *run)
{
	_cleanup_free_ char *message = NULL;
	int r = run->by_copy ? 0 : run_check_finalized(&message);

	if (r >= 0)
		return EXIT_DONE;
	return complain(run, EXIT_REFUSED, "%s; kexec --kho -u drops what is staged",
			message ?: strerror(-r));
}

enum exit_code run_find_checked(struct run *run, struct staged *ret)
{
	_cleanup_free_ char *error = NULL;
	int r = staged_read(ret);

	if (r >= 0 && strcmp(ret->update, run->update) != 0)
		r = -ENOENT;
	if (r < 0)
		return complain(run, EXIT_REFUSED,
				"what update %s was staged with is not on record (%s): kexec --kho "
				"-u, and stage anew",
				run->update, strerror(-r));
	r = staged_verify(ret, true, &error);
	if (r < 0)
		return complain(run, EXIT_REFUSED, "%s: kexec --kho -u, and stage anew",
				error ?: strerror(-r));
	return EXIT_DONE;
}

enum exit_code run_reload(struct run *run, struct staged *ret)
{
	enum exit_code r;

	r = run_find_checked(run, ret);
	if (r == EXIT_DONE)
		r = run_load(run, ret, true);
	if (r == EXIT_DONE)
		r = run_check_carried(run);
	return r;
}
