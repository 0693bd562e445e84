/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/socket.h>

#include "kho/core/cleanup.h"
#include "kho/daemon/server.h"
#include "kho/daemon/shutdown.h"
#include "kho/daemon/stopped.h"
#include "kho/daemon/claims.h"
#include "kho/daemon/handover-methods.h"
#include "kho/daemon/manager-methods.h"
#include "kho/daemon/logind.h"
#include "kho/daemon/monitor.h"
#include "kho/daemon/owner.h"
#include "kho/daemon/peers.h"
#include "kho/daemon/pending.h"
#include "kho/daemon/quota.h"
#include "kho/daemon/relay.h"
#include "kho/daemon/restore.h"
#include "kho/daemon/updater.h"

int services_new(struct manager *m)
{
	int r = sd_varlink_server_new(&m->services,
				      SD_VARLINK_SERVER_ACCOUNT_UID |
					      SD_VARLINK_SERVER_ALLOW_FD_PASSING_INPUT |
					      SD_VARLINK_SERVER_ALLOW_FD_PASSING_OUTPUT);

	if (r < 0)
		return r;
	sd_varlink_server_set_userdata(m->services, m);
	sd_varlink_server_set_connections_max(m->services, QUOTA_CONNECTIONS_MAX);
	/* All services of the system share uid 0: who has how many is for peer_connect(). */
	sd_varlink_server_set_connections_per_uid_max(m->services, QUOTA_CONNECTIONS_MAX);
	r = sd_varlink_server_bind_disconnect(m->services, peer_disconnect);
	if (r >= 0)
		r = handover_methods_bind(m->services);
	if (r >= 0)
		r = sd_varlink_server_attach_event(m->services, m->event, SD_EVENT_PRIORITY_NORMAL);
	return r;
}

int operators_new(struct manager *m)
{
	int r = sd_varlink_server_new(
		&m->operators, SD_VARLINK_SERVER_ROOT_ONLY | SD_VARLINK_SERVER_INHERIT_USERDATA |
				       SD_VARLINK_SERVER_ALLOW_FD_PASSING_OUTPUT);

	if (r < 0)
		return r;
	sd_varlink_server_set_userdata(m->operators, m);
	sd_varlink_server_set_connections_max(m->operators, QUOTA_OPERATORS_MAX);
	r = manager_methods_bind(m->operators);
	if (r >= 0)
		r = sd_varlink_server_attach_event(m->operators, m->event,
						   SD_EVENT_PRIORITY_IMPORTANT);
	return r;
}

static int add_root(struct manager *m, int fd)
{
	char *owner = NULL;
	sd_varlink *link;
	int r = sd_varlink_server_add_connection(m->services, fd, &link);

	if (r < 0)
		return r;
	/* From here the link closes the fd. */
	if (owner_of_peer(link, &owner) < 0 ||
	    peer_connect(m, link, owner, sd_varlink_get_peer_pidfd(link)) < 0)
		sd_varlink_close(link);
	return 0;
}

static int pass(struct manager *m, int client, int outer)
{
	int r = relay_pass(m->relay, client, outer);

	if (r != -EPIPE && r != -ECONNRESET)
		return r;
	/* Somebody has killed it. */
	m->relay = safe_close(m->relay);
	r = relay_start(&m->relay);
	return r < 0 ? r : relay_pass(m->relay, client, outer);
}

/* A user's fds don't come to khod itself: see relay.h. */
static int add_user(struct manager *m, int fd, const struct ucred *ucred)
{
	_cleanup_close_ int inner = -EBADF, outer = -EBADF, pidfd = -EBADF;
	_cleanup_free_ char *owner = NULL;
	socklen_t size = sizeof(pidfd);
	sd_varlink *link;
	int pair[2], r;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) < 0)
		pidfd = -EBADF;
	r = owner_of(ucred->uid, pidfd, &owner);
	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return -errno;
	inner = pair[0];
	outer = pair[1];
	r = sd_varlink_server_add_connection_pair(m->services, inner, inner, ucred, &link);
	if (r < 0)
		return r;
	TAKE_FD(inner);
	if (peer_connect(m, link, TAKE_PTR(owner), pidfd) < 0 || pass(m, fd, outer) < 0)
		sd_varlink_close(link);
	safe_close(fd);
	return 0;
}

int services_add(struct manager *m, int fd)
{
	struct ucred ucred;
	socklen_t size = sizeof(ucred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &ucred, &size) < 0)
		return -errno;
	return ucred.uid == 0 || m->relay < 0 ? add_root(m, fd) : add_user(m, fd, &ucred);
}

int operators_add(struct manager *m, int fd)
{
	return sd_varlink_server_add_connection(m->operators, fd, NULL);
}

void manager_done(struct manager *m)
{
	claims_flush(m);
	logind_free(m);
	shutdown_free(m);
	m->services = sd_varlink_server_unref(m->services);
	m->operators = sd_varlink_server_unref(m->operators);
	pending_free(m);
	claims_free(m);
	monitors_free(m);
	restorer_free(m->restorer);
	updater_free(m->updater);
	update_free(m->update);
	peers_free(m);
	stopped_free(m);
	registry_close(&m->registry);
	handover_free(m->report);
	kernel_info_done(&m->kernel);
	m->relay = safe_close(m->relay);
	sd_event_unref(m->event);
}
