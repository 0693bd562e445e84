/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "kho/core/cleanup.h"
#include "kho/daemon/clock.h"
#include "kho/daemon/log.h"
#include "kho/daemon/logind.h"
#include "kho/daemon/shutdown.h"

#define ADDRESS "unix:path=/run/dbus/system_bus_socket"
#define CHECK_UNIT "live-update-check.service"
#define LOGIND "org.freedesktop.login1"
#define LOGIND_PATH "/org/freedesktop/login1"
#define LOGIND_MANAGER "org.freedesktop.login1.Manager"
#define RECONNECT_USEC (5 * USEC_PER_SEC)

struct logind {
	struct manager *m;
	sd_bus *bus;
	sd_bus_slot *asking; /* for a lock */
	int lock;
	bool going_down;
	sd_event_source *reconnect;
};

static void take_lock(struct logind *l);

/* Not there yet, or not any more: NameOwnerChanged tells when it is. */
static int on_lock(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	struct logind *l = userdata;
	int fd;

	l->asking = sd_bus_slot_unref(l->asking);
	if (sd_bus_message_is_method_error(reply, NULL) || sd_bus_message_read(reply, "h", &fd) < 0)
		return 0;
	safe_close(l->lock);
	l->lock = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return 0;
}

static void take_lock(struct logind *l)
{
	sd_bus_message *call = NULL;
	int r;

	if (l->lock >= 0 || l->asking || l->going_down)
		return;
	r = sd_bus_message_new_method_call(l->bus, &call, LOGIND, LOGIND_PATH, LOGIND_MANAGER,
					   "Inhibit");
	if (r >= 0)
		r = sd_bus_message_append(call, "ssss", "shutdown", "khod",
					  "Memory of services is handed over to the next kernel",
					  "delay");
	/* It comes when it is due, and not because of this. */
	if (r >= 0)
		r = sd_bus_message_set_auto_start(call, false);
	if (r >= 0)
		r = sd_bus_call_async(l->bus, &l->asking, call, on_lock, l, 0);
	if (r < 0)
		log_warning("logind can't be asked for a lock: %s", strerror(-r));
	sd_bus_message_unref(call);
}

static int on_owner_changed(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct logind *l = userdata;
	const char *name, *before, *after;

	if (sd_bus_message_read(message, "sss", &name, &before, &after) < 0 || !*after)
		return 0;
	/* After a soft-reboot. */
	l->going_down = false;
	take_lock(l);
	return 0;
}

static int read_kind(sd_bus_message *message, const char **ret)
{
	const char *key, *value;
	int r = sd_bus_message_enter_container(message, 'a', "{sv}");

	*ret = "";
	while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
		r = sd_bus_message_read(message, "s", &key);
		if (r >= 0 && !strcmp(key, "type")) {
			r = sd_bus_message_read(message, "v", "s", &value);
			if (r >= 0)
				*ret = value;
		} else if (r >= 0) {
			r = sd_bus_message_skip(message, "v");
		}
		if (r >= 0)
			r = sd_bus_message_exit_container(message);
	}
	return r;
}

static int on_prepare(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct logind *l = userdata;
	const char *kind;
	int start, r;

	r = sd_bus_message_read(message, "b", &start);
	if (r >= 0)
		r = read_kind(message, &kind);
	if (r < 0) {
		log_warning("logind's word of a shutdown is not understood: %s", strerror(-r));
		return 0;
	}
	l->going_down = start;
	if (start) {
		log_notice("logind says that the machine goes down: %s", kind);
		shutdown_is_announced(l->m, kind);
	} else {
		shutdown_is_called_off(l->m);
		take_lock(l);
	}
	return 0;
}

static int on_reconnect(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct logind *l = userdata;
	struct manager *m = l->m;

	logind_free(m);
	logind_follow(m);
	return 0;
}

static int on_disconnected(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct logind *l = userdata;

	return sd_event_add_time_relative(l->m->event, &l->reconnect, CLOCK_MONOTONIC,
					  RECONNECT_USEC, 0, on_reconnect, l);
}

/* The socket may not be there yet: the library watches for it. */
static int connect_bus(struct logind *l)
{
	int r = sd_bus_new(&l->bus);

	if (r >= 0)
		r = sd_bus_set_description(l->bus, "khod");
	if (r >= 0)
		r = sd_bus_set_address(l->bus, ADDRESS);
	if (r >= 0)
		r = sd_bus_set_bus_client(l->bus, true);
	if (r >= 0)
		r = sd_bus_set_watch_bind(l->bus, true);
	if (r >= 0)
		r = sd_bus_start(l->bus);
	if (r >= 0)
		r = sd_bus_attach_event(l->bus, l->m->event, SD_EVENT_PRIORITY_IMPORTANT);
	return r;
}

static int follow(struct logind *l)
{
	int r = connect_bus(l);

	if (r >= 0)
		r = sd_bus_match_signal_async(l->bus, NULL, "org.freedesktop.DBus.Local", NULL,
					      "org.freedesktop.DBus.Local", "Disconnected",
					      on_disconnected, NULL, l);
	if (r >= 0)
		r = sd_bus_match_signal_async(l->bus, NULL, LOGIND, LOGIND_PATH, LOGIND_MANAGER,
					      "PrepareForShutdownWithMetadata", on_prepare, NULL,
					      l);
	if (r >= 0)
		r = sd_bus_add_match_async(l->bus, NULL,
					   "type='signal',sender='org.freedesktop.DBus',"
					   "interface='org.freedesktop.DBus',"
					   "member='NameOwnerChanged',arg0='" LOGIND "'",
					   on_owner_changed, NULL, l);
	if (r >= 0)
		take_lock(l);
	return r;
}

void logind_follow(struct manager *m)
{
	struct logind *l = calloc(1, sizeof(*l));
	int r;

	if (!l) {
		log_error("Out of memory: khod won't hear of a shutdown before its end");
		return;
	}
	*l = (struct logind){.m = m, .lock = -EBADF};
	m->logind = l;
	r = follow(l);
	if (r < 0)
		log_warning("khod won't hear of a shutdown before its end: %s", strerror(-r));
}

static int on_started(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	const sd_bus_error *e = sd_bus_message_get_error(reply);
	struct logind *l = userdata;

	if (!e)
		return 0;
	log_warning("PID 1 does not start " CHECK_UNIT ": %s", e->message ? e->message : e->name);
	shutdown_is_checked(l->m, "the kernel that is loaded could not be checked");
	return 0;
}

int logind_start_check(struct manager *m)
{
	if (!m->logind || !m->logind->bus)
		return -ENOTCONN;
	return sd_bus_call_method_async(m->logind->bus, NULL, "org.freedesktop.systemd1",
					"/org/freedesktop/systemd1",
					"org.freedesktop.systemd1.Manager", "StartUnit", on_started,
					m->logind, "ss", CHECK_UNIT, "replace");
}

bool logind_is_there(const struct manager *m)
{
	return m->logind && m->logind->lock >= 0;
}

void logind_release(struct manager *m)
{
	if (m->logind)
		m->logind->lock = safe_close(m->logind->lock);
}

void logind_free(struct manager *m)
{
	struct logind *l = m->logind;

	if (!l)
		return;
	sd_bus_slot_unref(l->asking);
	sd_event_source_disable_unref(l->reconnect);
	if (l->bus)
		sd_bus_close_unref(l->bus);
	safe_close(l->lock);
	free(l);
	m->logind = NULL;
}
