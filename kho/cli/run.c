/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>

#include "kho/client/format.h"
#include "kho/cli/run-directory.h"
#include "kho/cli/run-files.h"
#include "kho/cli/run-loop.h"
#include "kho/cli/run-regions.h"
#include "kho/cli/say.h"
#include "kho/cli/verbs.h"

/* Everything that is made for the command. */
struct run_setup {
	const struct run_spec *spec;
	struct kho *kho;
	struct run_fds fds;
	int *region_fds;
	char *directory;
	char **region_paths; /* NULL-terminated, as are the next two */
	char **file_paths;
	char **command;
	bool *stale;
};

static void run_setup_done(struct run_setup *setup)
{
	run_directory_remove(setup->directory);
	for (size_t i = 0; setup->region_fds && i < setup->spec->n_regions; i++)
		safe_close(setup->region_fds[i]);
	free(setup->region_fds);
	free(setup->directory);
	free(setup->stale);
	run_strings_free(setup->region_paths);
	run_strings_free(setup->file_paths);
	run_strings_free(setup->command);
	run_fds_done(&setup->fds);
	kho_close(setup->kho);
}

static int allocate(struct run_setup *setup)
{
	const struct run_spec *spec = setup->spec;

	setup->region_fds = calloc(spec->n_regions + 1, sizeof(*setup->region_fds));
	setup->region_paths = calloc(spec->n_regions + 1, sizeof(*setup->region_paths));
	setup->file_paths = calloc(spec->n_files + 1, sizeof(*setup->file_paths));
	setup->stale = calloc(spec->n_files + 1, sizeof(*setup->stale));
	if (!setup->region_fds || !setup->region_paths || !setup->file_paths || !setup->stale)
		return -ENOMEM;
	for (size_t i = 0; i < spec->n_regions; i++)
		setup->region_fds[i] = -EBADF;
	return 0;
}

/* Makes a path for each region, to the descriptor that it is going to have. */
static int link_regions(struct run_setup *setup)
{
	int first = SD_LISTEN_FDS_START + (int)setup->fds.n, r;

	r = run_directory_make(&setup->directory);
	if (r == -ENOENT)
		say("there is no place for links: set RuntimeDirectory= of the unit, or "
		    "$XDG_RUNTIME_DIR");
	for (size_t i = 0; r >= 0 && i < setup->spec->n_regions; i++)
		r = run_directory_link(setup->directory, setup->spec->regions[i].name,
				       first + (int)i, &setup->region_paths[i]);
	if (r < 0 && r != -ENOENT)
		say("can't make links to the regions: %s", strerror(-r));
	return r;
}

static enum exit_code open_regions(struct run_setup *setup)
{
	enum exit_code code = EXIT_DONE;

	for (size_t i = 0; i < setup->spec->n_regions && code == EXIT_DONE; i++) {
		code = run_region_open(setup->kho, setup->spec, i, &setup->region_fds[i]);
		if (code == EXIT_DONE && run_fds_add(&setup->fds, setup->region_fds[i],
						     setup->spec->regions[i].name) < 0)
			code = EXIT_LOCAL;
	}
	return code;
}

static int expand(const struct run_names *names, const char *text, char **ret)
{
	int r = run_names_expand(names, text, ret);

	if (r == -EINVAL)
		say("no --region is named by a %%{NAME} in \"%s\" (%%%% stands for a %%)", text);
	return r;
}

static int expand_names(struct run_setup *setup)
{
	const struct run_names names = {setup->spec, setup->region_paths};
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < setup->spec->n_files; i++)
		r = expand(&names, setup->spec->files[i].path, &setup->file_paths[i]);
	while (setup->spec->command[n])
		n++;
	setup->command = calloc(n + 1, sizeof(*setup->command));
	if (!setup->command)
		return -ENOMEM;
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = expand(&names, setup->spec->command[i], &setup->command[i]);
	return r;
}

static enum exit_code restore_files(struct run_setup *setup)
{
	enum exit_code code = EXIT_DONE;

	for (size_t i = 0; i < setup->spec->n_files && code == EXIT_DONE; i++)
		code = run_file_restore(setup->kho, setup->spec->files[i].name,
					setup->file_paths[i], &setup->stale[i]);
	return code;
}

/* What can fail without khod comes first: a slip of the pen must leave no region behind. */
static int make_paths(struct run_setup *setup)
{
	int r;

	/* Before anything else takes the numbers that a socket unit's descriptors have. */
	r = run_fds_inherit(&setup->fds);
	if (r >= 0)
		r = allocate(setup);
	if (r < 0) {
		say("can't start: %s", strerror(-r));
		return r;
	}
	r = link_regions(setup);
	return r < 0 ? r : expand_names(setup);
}

static enum exit_code make_ready(struct run_setup *setup)
{
	enum exit_code code;
	int r;

	if (make_paths(setup) < 0)
		return EXIT_LOCAL;
	code = handover_open(&setup->kho);
	if (code == EXIT_DONE)
		code = open_regions(setup);
	if (code == EXIT_DONE)
		code = restore_files(setup);
	if (code != EXIT_DONE)
		return code;
	r = kho_watch(setup->kho, setup->spec->optional ? KHO_OPTIONAL : 0);
	return r < 0 ? handover_failed(setup->kho, r) : EXIT_DONE;
}

/* Ends as the command did, so that a shell or systemd sees the same as without this process. */
static int end_like(int status)
{
	static const struct rlimit no_core = {};
	int signal_number = WTERMSIG(status);
	sigset_t mask;

	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	setrlimit(RLIMIT_CORE, &no_core);
	signal(signal_number, SIG_DFL);
	sigemptyset(&mask);
	sigaddset(&mask, signal_number);
	fflush(NULL);
	raise(signal_number);
	sigprocmask(SIG_UNBLOCK, &mask, NULL);
	return 128 + signal_number;
}

static enum exit_code run_until_it_ends(const struct run_spec *spec, int *ret_status)
{
	_cleanup_(run_setup_done) struct run_setup setup = {.spec = spec};
	struct run_job job = {.spec = spec};
	enum exit_code code;

	code = make_ready(&setup);
	if (code != EXIT_DONE)
		return code;
	job.kho = setup.kho;
	job.command = setup.command;
	job.file_paths = setup.file_paths;
	job.stale = setup.stale;
	job.fds = &setup.fds;
	return run_loop(&job, ret_status) < 0 ? EXIT_LOCAL : EXIT_DONE;
}

static int parse_option(struct run_spec *spec, int option, const char *argument,
			const char **ret_advice)
{
	int signal_number;

	switch (option) {
	case 'r':
		return run_spec_add_region(spec, argument, ret_advice);
	case 'f':
		return run_spec_add_file(spec, argument, ret_advice);
	case 'd':
		return run_spec_set_damaged(spec, argument, ret_advice);
	case 'o':
		spec->optional = true;
		return 0;
	case 's':
		signal_number = parse_signal(argument);
		*ret_advice = "--freeze-signal takes the name of a signal, as USR1 or TERM";
		if (signal_number < 0)
			return -EINVAL;
		spec->freeze_signal = signal_number == SIGSTOP ? 0 : signal_number;
		return 0;
	default:
		*ret_advice = "no such option";
		return -EINVAL;
	}
}

static int complain(const char *argument, const char *advice, int error)
{
	if (error == -ENOMEM)
		say("out of memory");
	else
		say("%s: %s", argument, advice);
	return EXIT_LOCAL;
}

int verb_run(int argc, char *argv[])
{
	static const struct option options[] = {
		{"region", required_argument, NULL, 'r'},
		{"file", required_argument, NULL, 'f'},
		{"freeze-signal", required_argument, NULL, 's'},
		{"damaged", required_argument, NULL, 'd'},
		{"optional", no_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},
		{},
	};
	_cleanup_run_spec_ struct run_spec spec = {};
	const char *advice = NULL;
	enum exit_code code;
	int c, status, r;

	/* "+": what follows COMMAND is COMMAND's. */
	while ((c = getopt_long(argc, argv, "+r:f:s:d:oh", options, NULL)) >= 0) {
		if (c == 'h') {
			print_usage("run");
			return EXIT_DONE;
		}
		if (c == '?')
			return bad_usage("run");
		r = parse_option(&spec, c, optarg, &advice);
		if (r < 0)
			return complain(optarg, advice, r);
	}
	spec.command = argv + optind;
	advice = run_spec_check(&spec);
	if (advice) {
		say("%s", advice);
		return bad_usage("run");
	}
	code = run_until_it_ends(&spec, &status);
	return code == EXIT_DONE ? end_like(status) : (int)code;
}
