/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "kexec/choose.h"
#include "kexec/load.h"
#include "kexec/program.h"
#include "kexec/reload.h"
#include "kexec/run.h"
#include "kexec/status.h"
#include "kexec/verify.h"

/*
 * A shutdown by kexec has begun, without kexec --kho having begun it, and nobody can stop it: what
 * does not hold is said here, and khod writes it down.
 */

/* As before kexec --kho -e, but nothing is undone: what is loaded may well be the right one. */
static const char *load_again(struct run *run)
{
	_cleanup_(staged_done) struct staged staged = {};
	_cleanup_free_ char **argv = NULL;
	bool interrupted;
	enum exit_code r = run_find_staged(run);

	if (r == EXIT_DONE)
		r = run_check_carried(run);
	if (r == EXIT_DONE)
		r = run_find_checked(run, &staged);
	if (r == EXIT_DONE)
		argv = load_command(run, &staged, NULL);
	if (argv && program_run(run->program, argv, run->signal_fd, &interrupted) == 0)
		return NULL;
	return "the kernel that was staged could not be loaded once more: what is loaded may be "
	       "another one, which nobody has checked";
}

/* What is loaded nobody can tell; systemctl kexec loads what comes next by itself. */
static const char *check_next(struct run *run, struct kexec_options *o)
{
	_cleanup_(choice_done) struct choice choice = {};
	_cleanup_(staged_done) struct staged staged = {};
	_cleanup_free_ char *error = NULL;
	enum exit_code r;

	o->actions = ACTION_LOAD;
	/* What services write until they are stopped is not to be copied before. */
	o->transport = "luo";
	o->as_systemctl = true;
	r = run_choose(run, o, &choice);
	if (r == EXIT_DONE && staged_init(&staged, o, &error) < 0)
		r = complain(run, EXIT_LOCAL, "%s", error ?: "out of memory");
	if (r == EXIT_DONE)
		r = run_verify(run, &staged);
	choice_settle(&choice, false);
	return r == EXIT_DONE ? NULL
			      : "the kernel that comes next does not pass the check, or can't be "
				"checked: see live-update-check.service in the journal";
}

enum exit_code run_first_step(struct run *run, struct kexec_options *o)
{
	_cleanup_(sd_json_variant_unrefp) sd_json_variant *parameters = NULL;
	_cleanup_(status_done) struct status status = {};
	enum exit_code exit_code = run_connect(run);
	const char *problem;
	int r;

	if (exit_code != EXIT_DONE)
		return exit_code;
	r = status_fetch(run->manager, &status);
	if (r < 0)
		return complain_manager(run);
	if (strcmp(status.state, "staged") == 0)
		problem = load_again(run);
	else
		problem = check_next(run, o);
	r = sd_json_buildo(
		&parameters, SD_JSON_BUILD_PAIR_STRING("kind", "kexec"),
		SD_JSON_BUILD_PAIR_BOOLEAN("checked", true),
		SD_JSON_BUILD_PAIR_CONDITION(!!problem, "problem", SD_JSON_BUILD_STRING(problem)));
	if (r >= 0)
		r = manager_call(run->manager, "ShutDown", parameters, NULL);
	return r < 0 ? complain_manager(run) : EXIT_DONE;
}
