/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <systemd/sd-varlink.h>

#include "kho/client/error.h"
#include "kho/client/manager.h"
#include "kho/client/waiting.h"
#include "kho/core/paths.h"

#define INTERFACE "io.kho.Manager"

struct manager {
	sd_varlink *link;
	int interrupt_fd; /* borrowed */
	manager_silent_t silent;
	void *silent_userdata;

	/* Of the call under way. */
	const char *method;
	manager_progress_t progress;
	manager_event_t event;
	void *userdata; /* of both */
	bool told_silent;
	bool replied;
	sd_json_variant *reply;
	int reply_fd;

	struct client_error error;
};

void free_strv(char ***strv)
{
	for (char **s = *strv; s && *s; s++)
		free(*s);
	free(*strv);
}

int manager_new(struct manager **ret)
{
	struct manager *m = malloc(sizeof(*m));

	if (!m)
		return -ENOMEM;
	*m = (struct manager){.interrupt_fd = -EBADF, .reply_fd = -EBADF};
	*ret = m;
	return 0;
}

struct manager *manager_free(struct manager *m)
{
	if (!m)
		return NULL;
	sd_varlink_close_unref(m->link);
	sd_json_variant_unref(m->reply);
	safe_close(m->reply_fd);
	client_error_clear(&m->error);
	free(m);
	return NULL;
}

void manager_set_interrupt(struct manager *m, int fd)
{
	m->interrupt_fd = fd;
}

void manager_set_silent(struct manager *m, manager_silent_t silent, void *userdata)
{
	m->silent = silent;
	m->silent_userdata = userdata;
}

static void tell_progress(struct manager *m, sd_json_variant *parameters)
{
	static const sd_json_dispatch_field table[] = {
		{"phase", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct manager_progress, phase), SD_JSON_MANDATORY},
		{"done", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64,
		 offsetof(struct manager_progress, done), SD_JSON_MANDATORY},
		{"total", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64,
		 offsetof(struct manager_progress, total), SD_JSON_MANDATORY},
		{}};
	_cleanup_(free_strv) char **waiting_for = NULL;
	struct manager_progress progress = {};
	sd_json_variant *field = sd_json_variant_by_key(parameters, "progress");
	int r;

	if (!m->progress || !field)
		return;
	r = sd_json_dispatch(field, table, SD_JSON_ALLOW_EXTENSIONS, &progress);
	if (r >= 0)
		r = waiting_phrases(field, &waiting_for);
	if (r < 0)
		return;
	progress.waiting_for = waiting_for;
	m->progress(&progress, m->userdata);
}

static int on_reply(sd_varlink *link, sd_json_variant *parameters, const char *error_id,
		    sd_varlink_reply_flags_t flags, void *userdata)
{
	struct manager *m = userdata;

	if (m->replied)
		return 0;
	if (flags & SD_VARLINK_REPLY_CONTINUES) {
		if (m->event)
			m->event(parameters, m->userdata);
		else
			tell_progress(m, parameters);
		return 0;
	}
	m->replied = true;
	if (error_id) {
		client_error_reply(&m->error, m->method, error_id, parameters);
		return 0;
	}
	m->reply = sd_json_variant_ref(parameters);
	m->reply_fd = sd_varlink_take_fd(link, 0);
	return 0;
}

static int connect_link(const char *path, sd_varlink **ret)
{
	_cleanup_(sd_varlink_close_unrefp) sd_varlink *link = NULL;
	int r;

	r = sd_varlink_connect_address(&link, path);
	if (r < 0)
		return r;
	r = sd_varlink_set_description(link, INTERFACE);
	if (r < 0)
		return r;
	/* An abort waits for the kernel, a prepare for services: khod bounds both, not the client.
	 */
	r = sd_varlink_set_relative_timeout(link, UINT64_MAX);
	if (r < 0)
		return r;
	r = sd_varlink_set_allow_fd_passing_input(link, true);
	if (r < 0)
		return r;
	r = sd_varlink_bind_reply(link, on_reply);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(link);
	return 0;
}

int manager_connect(struct manager *m)
{
	_cleanup_free_ char *path = runtime_path(KHO_MANAGER_SOCKET);
	int r;

	client_error_clear(&m->error);
	if (!path)
		return client_error_connect(&m->error, -ENOMEM, KHO_MANAGER_SOCKET);
	m->link = sd_varlink_close_unref(m->link);
	r = connect_link(path, &m->link);
	if (r < 0)
		return client_error_connect(&m->error, r, path);
	sd_varlink_set_userdata(m->link, m);
	return 0;
}

void manager_disconnect(struct manager *m)
{
	m->link = sd_varlink_close_unref(m->link);
}

/* Until the link may have something to process. Returns 0, -EINTR or a negative errno. */
static int wait_for_link(struct manager *m)
{
	bool tells = m->silent && !m->event && !m->told_silent;
	struct pollfd fds[] = {
		{.fd = sd_varlink_get_fd(m->link), .events = sd_varlink_get_events(m->link)},
		{.fd = m->interrupt_fd, .events = POLLIN},
	};
	int r;

	if (fds[0].fd < 0)
		return fds[0].fd;
	r = poll(fds, ARRAY_SIZE(fds), tells ? MANAGER_SILENCE_SEC * 1000 : -1);
	if (r < 0)
		return errno == EINTR ? 0 : -errno;
	if (r == 0) {
		m->told_silent = true;
		m->silent(m->method, m->silent_userdata);
	}
	return fds[1].revents ? -EINTR : 0;
}

static int wait_for_reply(struct manager *m)
{
	int r;

	while (!m->replied) {
		r = sd_varlink_process(m->link);
		if (r < 0)
			return r;
		if (r > 0)
			continue;
		r = wait_for_link(m);
		if (r < 0)
			return r;
	}
	return 0;
}

static void begin_call(struct manager *m, const char *method)
{
	client_error_clear(&m->error);
	m->reply = sd_json_variant_unref(m->reply);
	m->reply_fd = safe_close(m->reply_fd);
	m->replied = m->told_silent = false;
	m->method = method;
}

static int call(struct manager *m, const char *method, sd_json_variant *parameters,
		sd_json_variant **ret_reply)
{
	_cleanup_free_ char *full = NULL;
	int r;

	begin_call(m, method);
	if (asprintf(&full, INTERFACE ".%s", method) < 0) {
		full = NULL;
		return client_error_connection(&m->error, -ENOMEM, method);
	}
	if (!m->link)
		r = -ENOTCONN;
	else if (m->progress || m->event)
		r = sd_varlink_observe(m->link, full, parameters);
	else
		r = sd_varlink_invoke(m->link, full, parameters);
	if (r >= 0)
		r = wait_for_reply(m);
	if (r < 0)
		return client_error_connection(&m->error, r, method);
	if (m->error.message || m->error.id)
		return MANAGER_ERROR_REPLY;
	if (ret_reply)
		*ret_reply = TAKE_PTR(m->reply);
	return 0;
}

int manager_call_progress(struct manager *m, const char *method, sd_json_variant *parameters,
			  manager_progress_t progress, void *userdata, sd_json_variant **ret_reply)
{
	m->progress = progress;
	m->event = NULL;
	m->userdata = userdata;
	return call(m, method, parameters, ret_reply);
}

int manager_call_events(struct manager *m, const char *method, sd_json_variant *parameters,
			manager_event_t event, void *userdata)
{
	m->progress = NULL;
	m->event = event;
	m->userdata = userdata;
	return call(m, method, parameters, NULL);
}

int manager_call(struct manager *m, const char *method, sd_json_variant *parameters,
		 sd_json_variant **ret_reply)
{
	return manager_call_progress(m, method, parameters, NULL, NULL, ret_reply);
}

int manager_take_fd(struct manager *m)
{
	return m->reply_fd < 0 ? -ENODATA : TAKE_FD(m->reply_fd);
}

int manager_bad_reply(struct manager *m, const char *method)
{
	return client_error_connection(&m->error, -EBADMSG, method);
}

const char *manager_message(const struct manager *m)
{
	return m->error.message ?: "out of memory";
}

enum exit_code manager_exit_code(const struct manager *m)
{
	return m->error.exit_code ?: EXIT_LOCAL;
}

const char *manager_error(const struct manager *m)
{
	if (!m->error.id)
		return NULL;
	if (strncmp(m->error.id, INTERFACE ".", strlen(INTERFACE ".")) == 0)
		return m->error.id + strlen(INTERFACE ".");
	return m->error.id;
}

sd_json_variant *manager_error_parameters(const struct manager *m)
{
	return m->error.parameters;
}
