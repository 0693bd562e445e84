/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <getopt.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>

#include "kho/core/paths.h"
#include "kho/daemon/claims.h"
#include "kho/daemon/clock.h"
#include "kho/daemon/handover-methods.h"
#include "kho/daemon/instance.h"
#include "kho/daemon/log.h"
#include "kho/daemon/manager-methods.h"
#include "kho/daemon/monitor.h"
#include "kho/daemon/peers.h"
#include "kho/daemon/pending.h"
#include "kho/daemon/startup.h"
#include "kho/daemon/updater.h"

#define CONNECTIONS_MAX 8192
#define OPERATORS_MAX 64

static void manager_done(struct manager *m)
{
	claims_flush(m);
	m->services = sd_varlink_server_unref(m->services);
	m->operators = sd_varlink_server_unref(m->operators);
	pending_free(m);
	restorer_free(m->restorer);
	updater_free(m->updater);
	update_free(m->update);
	peers_free(m);
	free(m->waiters);
	monitors_free(m);
	registry_close(&m->registry);
	handover_free(m->report);
	kernel_info_done(&m->kernel);
	sd_event_unref(m->event);
}

/* One fd a region, here and in the fd store. */
static void raise_file_limit(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	files.rlim_cur = files.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &files);
}

static int listen_on(sd_varlink_server *server, int fd, const char *file, mode_t mode)
{
	_cleanup_free_ char *path = NULL;

	if (fd >= 0)
		return sd_varlink_server_listen_fd(server, fd);
	path = runtime_path(file);
	if (!path)
		return -ENOMEM;
	return sd_varlink_server_listen_address(server, path, mode);
}

static int serve_services(struct manager *m, int fd)
{
	int r = sd_varlink_server_new(&m->services,
				      SD_VARLINK_SERVER_ACCOUNT_UID |
					      SD_VARLINK_SERVER_ALLOW_FD_PASSING_INPUT |
					      SD_VARLINK_SERVER_ALLOW_FD_PASSING_OUTPUT);

	if (r < 0)
		return r;
	sd_varlink_server_set_userdata(m->services, m);
	/* All services of the system share uid 0. */
	sd_varlink_server_set_connections_max(m->services, CONNECTIONS_MAX);
	sd_varlink_server_set_connections_per_uid_max(m->services, CONNECTIONS_MAX / 2);
	r = sd_varlink_server_bind_connect(m->services, peer_connect);
	if (r >= 0)
		r = sd_varlink_server_bind_disconnect(m->services, peer_disconnect);
	if (r >= 0)
		r = handover_methods_bind(m->services);
	if (r >= 0)
		r = sd_varlink_server_attach_event(m->services, m->event, SD_EVENT_PRIORITY_NORMAL);
	if (r >= 0)
		r = listen_on(m->services, fd, KHO_HANDOVER_SOCKET, 0666);
	return r;
}

static int serve_operators(struct manager *m, int fd)
{
	int r = sd_varlink_server_new(
		&m->operators, SD_VARLINK_SERVER_ROOT_ONLY | SD_VARLINK_SERVER_INHERIT_USERDATA |
				       SD_VARLINK_SERVER_ALLOW_FD_PASSING_OUTPUT);

	if (r < 0)
		return r;
	sd_varlink_server_set_userdata(m->operators, m);
	sd_varlink_server_set_connections_max(m->operators, OPERATORS_MAX);
	r = manager_methods_bind(m->operators);
	if (r >= 0)
		r = sd_varlink_server_attach_event(m->operators, m->event,
						   SD_EVENT_PRIORITY_IMPORTANT);
	if (r >= 0)
		r = listen_on(m->operators, fd, KHO_MANAGER_SOCKET, 0600);
	return r;
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
		r = serve_operators(m, TAKE_FD(inheritance->operators));
	if (r >= 0)
		r = serve_services(m, TAKE_FD(inheritance->services));
	return r < 0 ? r : sd_event_loop(m->event);
}

static int help(void)
{
	printf("khod [OPTION]\n\n"
	       "Keeps memory of services across live updates of the kernel.\n\n"
	       "  -h --help     Show this help\n"
	       "     --version  Show the version\n\n"
	       "See khod(8), kho(8) and kexec(8).\n");
	return EXIT_SUCCESS;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'}, {}};
	_cleanup_close_ int lock = -EBADF;
	struct inheritance inheritance;
	struct manager m = {.registry = {.tree_fd = -EBADF}, .started_usec = realtime_usec()};
	int r;

	switch (getopt_long(argc, argv, "h", options, NULL)) {
	case 'h':
		return help();
	case 'V':
		printf("khod (kho-tools) %s\n", PACKAGE_VERSION);
		return EXIT_SUCCESS;
	case '?':
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
		r = run(&m, &inheritance);
	(void)sd_notify(0, "STOPPING=1");
	if (r < 0)
		log_error("%s", strerror(-r));
	manager_done(&m);
	inheritance_done(&inheritance);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
