/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "kho/client/format.h"
#include "kho/cli/run-files.h"
#include "kho/cli/run-freeze.h"
#include "kho/cli/run-loop.h"
#include "kho/cli/say.h"

#define RETRY_USEC UINT64_C(1000000)
/* memcached takes no state that was written in the second in which it starts. */
#define PAUSE_USEC UINT64_C(1100000)

enum phase {
	RUNNING,
	FROZEN,	  /* stopped where it stands */
	STOPPING, /* was sent the freeze signal, and has not exited yet */
	STOPPED,  /* exited after that */
};

struct run {
	const struct run_job *job;
	sd_event *event;
	enum phase phase;
	pid_t pid;
	int end_signal; /* what this process is to end by, or 0 */
	bool resume;	/* start again as soon as it has stopped */
	bool committed; /* the machine goes down: what a stop leaves behind is taken along */
	bool unasked;	/* it stops because it was stopped, and khod awaits no answer */
	bool stored;	/* what the command left behind is in khod's custody */
	struct frozen frozen;
	uint64_t stopped_usec; /* CLOCK_MONOTONIC */
	sd_event_source *deadline, *restart, *retry, *watchdog;
	uint64_t watchdog_usec; /* 0: nobody waits for a sign of life */
};

static int end(struct run *run, int status)
{
	return sd_event_exit(run->event, status);
}

/* Also one that was told to stop, did not in time, and may go on. */
static bool is_running(const struct run *run)
{
	return run->phase == RUNNING || (run->phase == STOPPING && run->resume);
}

/* An event source that fails would only go silent. */
static int check(struct run *run, int r)
{
	return r < 0 ? sd_event_exit(run->event, r) : 0;
}

/* As waitpid(2) has it. */
static int ended_by(int signal)
{
	return W_EXITCODE(0, signal);
}

static int arm(struct run *run, sd_event_source **source, uint64_t usec, sd_event_time_handler_t f)
{
	*source = sd_event_source_disable_unref(*source);
	return sd_event_add_time_relative(run->event, source, CLOCK_MONOTONIC, usec, 0, f, run);
}

static int forget_files(struct run *run);

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
	return check(userdata, forget_files(userdata));
}

/* What has been given to the command again must not come a second time. */
static int forget_files(struct run *run)
{
	const struct run_job *job = run->job;
	bool again = false;

	for (size_t i = 0; i < job->spec->n_files; i++) {
		int r = job->stale[i] ? run_file_forget(job->kho, job->spec->files[i].name) : 0;

		if (r >= 0)
			job->stale[i] = false;
		else if (!run->retry)
			say("can't drop the old %s yet, will try again: %s",
			    job->spec->files[i].name, kho_error_message(job->kho));
		again |= r < 0;
	}
	if (again)
		return arm(run, &run->retry, RETRY_USEC, on_retry);
	run->retry = sd_event_source_disable_unref(run->retry);
	return 0;
}

static int start_command(struct run *run)
{
	pid_t pid = run_child_start(run->job->command, run->job->fds);

	if (pid < 0) {
		say("can't run %s: %s", run->job->command[0], strerror(-pid));
		return pid;
	}
	run->pid = pid;
	run->phase = RUNNING;
	run->resume = run->stored = false;
	return forget_files(run);
}

static int on_restart(sd_event_source *source, uint64_t usec, void *userdata)
{
	return check(userdata, start_command(userdata));
}

static int start_again(struct run *run)
{
	uint64_t now, since;
	int r;

	r = sd_event_now(run->event, CLOCK_MONOTONIC, &now);
	if (r < 0)
		return r;
	since = now - run->stopped_usec;
	return arm(run, &run->restart, since < PAUSE_USEC ? PAUSE_USEC - since : 0, on_restart);
}

static void answer(struct run *run, const char *reason)
{
	int r;

	r = reason ? kho_refuse(run->job->kho, reason) : kho_acknowledge(run->job->kho);
	if (r < 0 && r != -ESTALE)
		say("can't answer khod: %s", kho_error_message(run->job->kho));
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct run *run = userdata;
	char reason[200];

	snprintf(reason, sizeof(reason), "%.100s has not exited at SIG%s in time",
		 run->job->command[0], sigabbrev_np(run->job->spec->freeze_signal));
	say("%s", reason);
	answer(run, reason);
	run->deadline = sd_event_source_disable_unref(run->deadline);
	return 0;
}

static int show_life(struct run *run);

static int on_watchdog(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct run *run = userdata;

	if (run->phase != RUNNING)
		return check(run, show_life(run));
	run->watchdog = sd_event_source_disable_unref(run->watchdog);
	return 0;
}

/* A watchdog knows nothing of updates: who was stopped can't give a sign of life itself. */
static int show_life(struct run *run)
{
	if (run->watchdog_usec == 0)
		return 0;
	sd_notify(false, "WATCHDOG=1");
	return arm(run, &run->watchdog, run->watchdog_usec / 2, on_watchdog);
}

static int freeze_in_place(struct run *run, uint64_t timeout)
{
	int r;

	run->phase = FROZEN;
	r = frozen_freeze(&run->frozen, getpid(), timeout);
	if (r == -ETIME)
		answer(run, "a process can't be stopped: it hangs in the kernel");
	else
		answer(run, r < 0 ? strerror(-r) : NULL);
	return show_life(run);
}

static char *store_files(struct run *run)
{
	const struct run_job *job = run->job;
	char *reason = NULL;

	for (size_t i = 0; i < job->spec->n_files && !reason; i++) {
		int r = run_file_store(job->kho, job->spec->files[i].name, job->file_paths[i],
				       job->spec->optional, &reason);

		job->stale[i] = r >= 0;
		if (r < 0 && !reason)
			reason = strdup("out of memory");
	}
	run->stored = !reason;
	return reason;
}

/* A freeze that comes while the command does not run: it stays down. */
static int freeze_again(struct run *run)
{
	_cleanup_free_ char *reason = NULL;

	run->restart = sd_event_source_disable_unref(run->restart);
	if (run->phase == STOPPING)
		return 0;
	if (run->phase == STOPPED && !run->stored)
		reason = store_files(run);
	answer(run, reason);
	return 0;
}

/* What a command does before it exits may take all the time that the operator allows. */
static uint64_t ask_for_time(struct run *run, uint64_t timeout)
{
	_cleanup_free_ char *reason = NULL;

	if (asprintf(&reason, "%s is to exit at SIG%s", run->job->command[0],
		     sigabbrev_np(run->job->spec->freeze_signal)) < 0)
		reason = NULL;
	if (timeout != UINT64_MAX)
		(void)kho_extend_timeout(run->job->kho, UINT64_MAX, reason, &timeout);
	return timeout;
}

static int freeze(struct run *run, uint64_t timeout)
{
	int r;

	if (!is_running(run))
		return freeze_again(run);
	if (run->job->spec->freeze_signal != 0)
		timeout = ask_for_time(run, timeout);
	/* Time for the answer to get through. */
	timeout = timeout == UINT64_MAX ? 30 * UINT64_C(1000000) : timeout - timeout / 10;
	if (run->job->spec->freeze_signal == 0)
		return freeze_in_place(run, timeout);
	run->phase = STOPPING;
	run->resume = false;
	if (kill(run->pid, run->job->spec->freeze_signal) < 0)
		return -errno;
	r = arm(run, &run->deadline, timeout, on_deadline);
	return r < 0 ? r : show_life(run);
}

static int resume(struct run *run, const char *reason)
{
	if (run->phase == RUNNING)
		return 0;
	say("going on, the update does not happen%s%s", reason ? ": " : "", reason ?: "");
	switch (run->phase) {
	case FROZEN:
		run->phase = RUNNING;
		frozen_thaw(&run->frozen);
		return 0;
	case STOPPING:
		run->resume = true;
		if (run->end_signal)
			kill(run->pid, run->end_signal);
		return 0;
	default:
		return start_again(run);
	}
}

static int on_khod(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct run *run = userdata;
	const struct kho_event *event;
	int r;

	while ((r = kho_process(run->job->kho, &event)) > 0) {
		switch (event->type) {
		case KHO_EVENT_PREPARE:
			answer(run, NULL);
			break;
		case KHO_EVENT_FREEZE:
			r = freeze(run, event->timeout_usec);
			break;
		case KHO_EVENT_RESUME:
			run->committed = false;
			r = resume(run, event->reason);
			break;
		case KHO_EVENT_COMMITTED:
			run->committed = true;
			break;
		case KHO_EVENT_NOT_KEPT:
			say("region %s is not kept any longer: %s", event->region,
			    event->reason ?: "khod does not say why");
			break;
		default:
			break;
		}
		if (r < 0)
			return check(run, r);
	}
	if (r < 0)
		say("can't take part in updates any longer: %s", kho_error_message(run->job->kho));
	return check(run, r);
}

/* The command has exited at the freeze signal. */
static int stopped(struct run *run, int status)
{
	_cleanup_free_ char *reason = NULL;

	run->phase = STOPPED;
	run->pid = 0;
	run->deadline = sd_event_source_disable_unref(run->deadline);
	(void)sd_event_now(run->event, CLOCK_MONOTONIC, &run->stopped_usec);
	if (run->resume)
		return run->end_signal ? end(run, status) : start_again(run);
	reason = store_files(run);
	if (!run->unasked)
		answer(run, reason);
	return run->end_signal ? end(run, ended_by(run->end_signal)) : 0;
}

static int on_child(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct run *run = userdata;
	int status, r = 0;
	pid_t pid;

	/* Also the orphans of the command, whose parent this process has become. */
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != run->pid)
			continue;
		if (run->phase == STOPPING)
			r = stopped(run, status);
		else
			r = end(run, run->end_signal ? ended_by(run->end_signal) : status);
		if (r < 0)
			return check(run, r);
	}
	return 0;
}

static bool asks_to_end(int signal)
{
	return signal == SIGTERM || signal == SIGINT || signal == SIGQUIT;
}

/* Whoever stops it now does so for good: it is to write down what the next kernel is to have. */
static bool stops_for_update(const struct run *run, int signal)
{
	return run->committed && run->phase == RUNNING && asks_to_end(signal) &&
	       run->job->spec->freeze_signal != 0;
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct run *run = userdata;
	int signal = (int)info->ssi_signo;

	if (stops_for_update(run, signal)) {
		run->end_signal = signal;
		run->unasked = true;
		return check(run, freeze(run, UINT64_MAX));
	}
	/* A key on the terminal has reached the command already. */
	if (is_running(run) && info->ssi_code != SI_KERNEL)
		kill(run->pid, signal);
	if (run->phase == RUNNING || !asks_to_end(signal))
		return 0;
	run->end_signal = signal;
	/* What was frozen has been vouched for, and must not write again, not even a farewell. */
	if (run->phase == FROZEN)
		return check(run, descendants_kill(getpid(), SIGKILL));
	return run->phase == STOPPED ? end(run, ended_by(signal)) : 0;
}

static int add_sources(struct run *run)
{
	static const int forwarded[] = {SIGTERM, SIGINT,  SIGQUIT, SIGHUP,
					SIGUSR1, SIGUSR2, SIGWINCH};
	sigset_t mask;
	int r;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
		sigaddset(&mask, forwarded[i]);
	if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
		return -errno;
	r = sd_event_new(&run->event);
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(forwarded); i++)
		r = sd_event_add_signal(run->event, NULL, forwarded[i], on_signal, run);
	if (r >= 0)
		r = sd_event_add_signal(run->event, NULL, SIGCHLD, on_child, run);
	if (r >= 0)
		r = sd_event_add_io(run->event, NULL, kho_get_fd(run->job->kho), EPOLLIN, on_khod,
				    run);
	return r;
}

static void run_done(struct run *run)
{
	sd_event_source_disable_unref(run->deadline);
	sd_event_source_disable_unref(run->restart);
	sd_event_source_disable_unref(run->retry);
	sd_event_source_disable_unref(run->watchdog);
	sd_event_unref(run->event);
	frozen_done(&run->frozen);
}

int run_loop(const struct run_job *job, int *ret_status)
{
	_cleanup_(run_done) struct run run = {.job = job};
	int r;

	if (sd_watchdog_enabled(false, &run.watchdog_usec) <= 0)
		run.watchdog_usec = 0;
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return -errno;
	r = add_sources(&run);
	if (r < 0)
		return r;
	r = start_command(&run);
	if (r < 0)
		return r;
	r = sd_event_loop(run.event);
	if (r < 0)
		return r;
	*ret_status = r;
	return 0;
}
