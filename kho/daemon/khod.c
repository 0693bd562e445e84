/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <getopt.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>

#include "kho/core/paths.h"
#include "kho/daemon/clock.h"
#include "kho/daemon/instance.h"
#include "kho/daemon/listener.h"
#include "kho/daemon/log.h"
#include "kho/daemon/logind.h"
#include "kho/daemon/relay.h"
#include "kho/daemon/restore.h"
#include "kho/daemon/server.h"
#include "kho/daemon/startup.h"
#include "kho/daemon/updater.h"

/* More than peers can pin with messages and fds that they do not finish, or do not read. */
#define FILES_WANTED 524288

/* One fd a region, here and in the fd store. */
static void raise_file_limit(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	if (files.rlim_max < FILES_WANTED &&
	    setrlimit(RLIMIT_NOFILE, &(struct rlimit){FILES_WANTED, FILES_WANTED}) == 0)
		return;
	files.rlim_cur = files.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &files);
}

static int serve_services(struct manager *m, int fd, struct listener **ret)
{
	int r = services_new(m);

	if (r < 0) {
		safe_close(fd);
		return r;
	}
	return listener_new(m, fd, KHO_HANDOVER_SOCKET, 0666, SD_EVENT_PRIORITY_NORMAL,
			    services_add, ret);
}

static int serve_operators(struct manager *m, int fd, struct listener **ret)
{
	int r = operators_new(m);

	if (r < 0) {
		safe_close(fd);
		return r;
	}
	return listener_new(m, fd, KHO_MANAGER_SOCKET, 0600, SD_EVENT_PRIORITY_IMPORTANT,
			    operators_add, ret);
}

static void on_ready(struct manager *m)
{
	(void)sd_notify(0, "READY=1");
	if (restore_problem(m))
		(void)sd_notifyf(0, "STATUS=Restoring waits: %s", restore_problem(m));
	else
		(void)sd_notify(0, "STATUS=Ready");
}

static int prepare_loop(struct manager *m)
{
	int r = sd_event_default(&m->event);

	if (r >= 0)
		r = sd_event_set_signal_exit(m->event, true);
	if (r >= 0)
		r = sd_event_set_watchdog(m->event, true);
	return r;
}

static int run(struct manager *m, struct inheritance *inheritance)
{
	_cleanup_(listener_freep) struct listener *services = NULL, *operators = NULL;
	int r = prepare_loop(m);

	if (r >= 0)
		r = kernel_probe(&m->kernel);
	if (r < 0)
		return r;
	m->update = update_new();
	if (!m->update)
		return -ENOMEM;
	r = updater_new(m, &m->updater);
	if (r >= 0)
		r = startup(m, inheritance, on_ready);
	if (r >= 0)
		r = serve_operators(m, TAKE_FD(inheritance->operators), &operators);
	if (r >= 0)
		r = serve_services(m, TAKE_FD(inheritance->services), &services);
	if (r < 0)
		return r;
	logind_follow(m);
	return sd_event_loop(m->event);
}

static int help(void)
{
	printf("khod [OPTION]\n\n"
	       "Keeps memory of services across live updates of the kernel.\n\n"
	       "     --user-veto  Let unprivileged users stop updates, too\n"
	       "  -h --help       Show this help\n"
	       "     --version    Show the version\n\n"
	       "See khod(8), kho(8) and kexec(8).\n");
	return EXIT_SUCCESS;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"user-veto", no_argument, NULL, 'u'},
						{"help", no_argument, NULL, 'h'},
						{"version", no_argument, NULL, 'V'},
						{}};
	_cleanup_close_ int lock = -EBADF;
	struct inheritance inheritance;
	struct manager m = {
		.registry = {.tree_fd = -EBADF}, .relay = -EBADF, .started_usec = realtime_usec()};
	int c, r;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0)
		switch (c) {
		case 'u':
			m.user_veto = true;
			break;
		case 'h':
			return help();
		case 'V':
			printf("khod (kho-tools) %s\n", PACKAGE_VERSION);
			return EXIT_SUCCESS;
		default:
			return EXIT_FAILURE;
		}
	if (optind < argc) {
		fprintf(stderr, "khod: it takes no arguments, \"%s\" is one\n", argv[optind]);
		return EXIT_FAILURE;
	}
	signal(SIGPIPE, SIG_IGN);
	raise_file_limit();
	lock = instance_lock();
	if (lock < 0)
		return EXIT_FAILURE;
	r = inheritance_take(&inheritance);
	if (r >= 0)
		r = relay_start(&m.relay);
	if (r >= 0)
		r = run(&m, &inheritance);
	(void)sd_notify(0, "STOPPING=1");
	if (r < 0)
		log_error("%s", strerror(-r));
	manager_done(&m);
	inheritance_done(&inheritance);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
