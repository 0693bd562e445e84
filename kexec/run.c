/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <string.h>
#include <sys/signalfd.h>

#include "kexec/distribution.h"
#include "kexec/run.h"

/* The signals that ask to stop, unless they were ignored before (nohup). Returns an fd. */
static int catch_signals(struct run *run)
{
	static const int asking[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action;
	int fd;

	sigemptyset(&run->signals);
	for (size_t i = 0; i < ARRAY_SIZE(asking); i++)
		if (sigaction(asking[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
			sigaddset(&run->signals, asking[i]);
	if (sigprocmask(SIG_BLOCK, &run->signals, NULL) < 0)
		return -errno;
	/* Whoever reads our output may go away, the update is still to be ended in order. */
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &run->signals, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

static void on_silence(const char *method, void *userdata)
{
	complain(userdata, EXIT_DONE,
		 "khod has not answered %s for %d s: it is busy, or stopped (kho status); still "
		 "waiting, Ctrl-C gives up",
		 method, MANAGER_SILENCE_SEC);
}

void run_attend(struct run *run, struct manager *m)
{
	manager_set_interrupt(m, run->signal_fd);
	manager_set_silent(m, on_silence, run);
}

enum exit_code run_connect(struct run *run)
{
	if (run->manager)
		return EXIT_DONE;
	if (manager_new(&run->manager) < 0)
		return complain(run, EXIT_LOCAL, "out of memory");
	if (manager_connect(run->manager) < 0)
		return complain_manager(run);
	run_attend(run, run->manager);
	return EXIT_DONE;
}

enum exit_code run_begin(struct run *run, const struct kexec_options *options)
{
	int r;

	*run = (struct run){.options = options, .signal_fd = -EBADF};
	if (geteuid() != 0)
		return complain(run, EXIT_LOCAL, "--kho is for root alone: run this as root");
	if (!(options->actions & ACTION_STATUS)) {
		r = distribution_find(&run->program);
		if (r == -ENOENT)
			return EXIT_LOCAL;
		if (r < 0)
			return complain(run, EXIT_LOCAL, "%s", strerror(-r));
	}
	run->signal_fd = catch_signals(run);
	if (run->signal_fd < 0)
		return complain(run, EXIT_LOCAL, "can't catch signals: %s",
				strerror(-run->signal_fd));
	return EXIT_DONE;
}

void run_done(struct run *run)
{
	progress_done(&run->progress);
	manager_free(run->manager);
	safe_close(run->signal_fd);
	free(run->program);
	free(run->update);
	free(run->release);
}

enum exit_code complain(struct run *run, enum exit_code exit_code, const char *format, ...)
{
	va_list ap;

	progress_clear(&run->progress);
	fputs("kexec: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	return exit_code;
}

enum exit_code complain_manager(struct run *run)
{
	return complain(run, manager_exit_code(run->manager), "%s", manager_message(run->manager));
}

void show_warnings(struct run *run, char *const *warnings)
{
	for (; warnings && *warnings; warnings++)
		complain(run, EXIT_DONE, "warning: %s", *warnings);
}

static void on_progress(const struct manager_progress *progress, void *userdata)
{
	struct run *run = userdata;

	progress_show(&run->progress, progress);
}

int run_call(struct run *run, const char *method, sd_json_variant *parameters,
	     sd_json_variant **ret_reply)
{
	int r;

	r = manager_call_progress(run->manager, method, parameters, on_progress, run, ret_reply);
	progress_clear(&run->progress);
	return r;
}
