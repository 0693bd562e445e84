/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "kexec/choose.h"
#include "kexec/distribution.h"
#include "kexec/help.h"
#include "kexec/run.h"

static enum exit_code load(struct run *run, const struct choice *choice)
{
	enum exit_code r = run_stage(run);

	choice_settle(choice, r == EXIT_DONE);
	return r;
}

static enum exit_code act(struct kexec_options *options)
{
	_cleanup_(choice_done) struct choice choice = {};
	_cleanup_(run_done) struct run run;
	enum exit_code r;

	r = run_begin(&run, options);
	if (r == EXIT_DONE && (options->actions & ACTION_FIRST_STEP))
		return run_first_step(&run, options);
	/* A shutdown goes by what is staged, where no kernel is named. */
	if (r == EXIT_DONE && options->actions == (ACTION_LOAD | ACTION_SHUTDOWN) &&
	    !options->image && run_is_staged(&run))
		options->actions = ACTION_SHUTDOWN;
	if (r == EXIT_DONE)
		r = run_choose(&run, options, &choice);
	if (r != EXIT_DONE)
		return r;
	if (options->actions & ACTION_STATUS)
		return run_show(&run);
	if (options->actions & ACTION_UNLOAD)
		return run_drop(&run);
	if (options->actions & ACTION_LAST_STEP)
		return run_last_step(&run);
	if (options->actions & ACTION_LOAD)
		r = load(&run, &choice);
	if (r == EXIT_DONE && (options->actions & ACTION_SHUTDOWN))
		r = run_shutdown(&run);
	if (r == EXIT_DONE && (options->actions & ACTION_EXECUTE))
		r = run_execute(&run);
	return r;
}

int main(int argc, char **argv)
{
	_cleanup_(kexec_options_done) struct kexec_options options;
	int r;

	r = kexec_options_parse(&options, argc, argv);
	if (!options.kho)
		return distribution_exec(argv);
	if (r < 0) {
		fprintf(stderr, "kexec: %s\n", options.error ?: "out of memory");
		return EXIT_LOCAL;
	}
	if (options.actions & ACTION_HELP) {
		help_print();
		return EXIT_DONE;
	}
	if (options.actions & ACTION_VERSION)
		return version_print();
	if (options.entry && strcmp(options.entry, "help") == 0)
		return next_kernel_print_entries(stdout) < 0 ? EXIT_LOCAL : EXIT_DONE;
	return act(&options);
}
