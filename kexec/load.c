/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "kexec/load.h"
#include "kexec/program.h"
#include "kho/kernel/generation.h"

/* NULL: out of memory. The words are the record's, but for the array. */
char **load_command(struct run *run, const struct staged *staged, char *const *more)
{
	char **argument, **argv;
	size_t n = 0;

	for (argument = staged->arguments; argument && *argument; argument++)
		n++;
	for (char *const *word = more; word && *word; word++)
		n++;
	argv = calloc(n + 5, sizeof(*argv));
	if (!argv)
		return NULL;
	n = 0;
	argv[n++] = run->program;
	argv[n++] = (char *)"-s";
	argv[n++] = (char *)"-l";
	for (argument = staged->arguments; argument && *argument; argument++)
		argv[n++] = *argument;
	for (; more && *more; more++)
		argv[n++] = *more;
	argv[n++] = staged->image.path; /* absolute, so never taken for an option */
	return argv;
}

/*
 * kexec_file_load leaves an earlier image alone when it fails, and replaces it when it does not
 * (kernel/kexec_file.c): what a failure leaves behind depends on which of the two it was. An
 * earlier one is dropped if it was the update's.
 */
static enum exit_code load(struct run *run, const struct staged *staged, char *const *more,
			   bool reload)
{
	_cleanup_free_ char **argv = load_command(run, staged, more);
	int loaded_before = kernel_kexec_loaded(), loaded;
	bool interrupted = false, ours;
	int r = -ENOMEM;

	if (argv)
		r = program_run(run->program, argv, run->signal_fd, &interrupted);
	loaded = kernel_kexec_loaded();
	ours = reload && loaded == 1;
	if (r == 0 && loaded == 1 && !interrupted)
		return EXIT_DONE;
	if (interrupted)
		return run_undo(run, ours || r == 0 || (r == -EINTR && loaded == 1), "interrupted");
	if (r == 0)
		return run_undo(run, false,
				"kexec-tools says that it loaded the kernel, and the kernel that "
				"none is loaded");
	if (r == -EINTR)
		return run_undo(run, loaded == 1, "kexec-tools was killed while it loaded");
	return run_undo(run, ours || (loaded == 1 && loaded_before == 0),
			r > 0 ? "kexec-tools could not load the kernel" : "can't run kexec-tools");
}

enum exit_code run_load(struct run *run, const struct staged *staged, bool reload)
{
	_cleanup_free_ char *error = NULL;
	enum exit_code r = load(run, staged, NULL, reload);

	if (r != EXIT_DONE)
		return r;
	if (staged_verify(staged, false, &error) < 0)
		return run_undo(run, true, error ?: "out of memory");
	return EXIT_DONE;
}

enum exit_code run_load_frozen(struct run *run, const struct staged *staged, char *const *arguments)
{
	return load(run, staged, arguments, true);
}
