/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>
#include <systemd/sd-json.h>
#include <systemd/sd-varlink.h>
#include <unistd.h>

#include "kho/core/cleanup.h"
#include "kho/daemon/varlink-io.kho.Handover.h"
#include "tests/unit/fake-khod.h"
#include "tests/unit/fake-manager.h"

#define IFACE "io.kho.Handover."

/* An assert that is there in every build. */
#define must(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

struct fake_region *fake_find(struct fake_khod *khod, const char *name)
{
	for (size_t i = 0; i < FAKE_REGIONS; i++)
		if (strcmp(khod->regions[i].name, name) == 0)
			return &khod->regions[i];
	return NULL;
}

struct fake_region *fake_add(struct fake_khod *khod, const char *name, int fd, const char *check)
{
	struct fake_region *region = fake_find(khod, "");

	must(region);
	snprintf(region->name, sizeof(region->name), "%s", name);
	region->fd = fd;
	region->check = check;
	region->required = true;
	region->claimed = false;
	return region;
}

void fake_forget(struct fake_khod *khod, const char *name)
{
	struct fake_region *region = fake_find(khod, name);

	must(region);
	safe_close(region->fd);
	region->name[0] = '\0';
}

static int build(const struct fake_region *region, sd_json_variant **ret)
{
	struct stat st = {};

	if (region->fd >= 0)
		must(fstat(region->fd, &st) == 0);
	return sd_json_buildo(ret, SD_JSON_BUILD_PAIR_STRING("name", region->name),
			      SD_JSON_BUILD_PAIR_STRING("owner", FAKE_OWNER),
			      SD_JSON_BUILD_PAIR_UNSIGNED("size", st.st_size),
			      SD_JSON_BUILD_PAIR_STRING("memdesc", "file"),
			      SD_JSON_BUILD_PAIR_BOOLEAN("required", region->required),
			      SD_JSON_BUILD_PAIR_BOOLEAN("claimed", region->claimed),
			      SD_JSON_BUILD_PAIR_STRING("check", region->check),
			      /* A field of a later version. */
			      SD_JSON_BUILD_PAIR_STRING("colour", "blue"));
}

static int refuse(sd_varlink *link, const char *error, const char *name)
{
	char message[128];

	snprintf(message, sizeof(message), "khod says %s of %s", error + strlen(IFACE), name);
	return sd_varlink_errorbo(link, error, SD_JSON_BUILD_PAIR_STRING("name", name),
				  SD_JSON_BUILD_PAIR_STRING("message", message));
}

static const char *string_of(sd_json_variant *parameters, const char *key)
{
	sd_json_variant *value = sd_json_variant_by_key(parameters, key);

	return value ? sd_json_variant_string(value) : NULL;
}

static bool same_file(int a, int b)
{
	struct stat sa, sb;

	must(fstat(a, &sa) == 0 && fstat(b, &sb) == 0);
	return sa.st_ino == sb.st_ino && sa.st_dev == sb.st_dev;
}

static int on_register(sd_varlink *link, sd_json_variant *parameters,
		       sd_varlink_method_flags_t flags, void *userdata)
{
	sd_json_variant *required = sd_json_variant_by_key(parameters, "required");
	const char *name = string_of(parameters, "name");
	_cleanup_(sd_json_variant_unrefp) sd_json_variant *json = NULL;
	struct fake_khod *khod = userdata;
	struct fake_region *region;
	int fd;

	khod->n_registered++;
	if (khod->register_error) {
		const char *error = khod->register_error;

		khod->register_error = NULL;
		return refuse(link, error, name);
	}
	if (fake_find(khod, name))
		return refuse(link, IFACE "RegionExists", name);
	fd = sd_varlink_take_fd(link, sd_json_variant_unsigned(sd_json_variant_by_key(
					      parameters, "memoryFileDescriptor")));
	must(fd >= 0);
	for (size_t i = 0; i < FAKE_REGIONS; i++)
		must(!khod->regions[i].name[0] || khod->regions[i].fd < 0 ||
		     !same_file(khod->regions[i].fd, fd));
	region = fake_add(khod, name, fd, "new");
	region->required = !required || sd_json_variant_boolean(required);
	region->claimed = true;
	if (khod->register_hangs_up) {
		khod->register_hangs_up = false;
		return sd_varlink_close(link);
	}
	must(build(region, &json) >= 0);
	return sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_VARIANT("region", json));
}

static int on_claim(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
		    void *userdata)
{
	sd_json_variant *damaged = sd_json_variant_by_key(parameters, "damaged");
	const char *name = string_of(parameters, "name");
	struct fake_region *region = fake_find(userdata, name);
	_cleanup_(sd_json_variant_unrefp) sd_json_variant *json = NULL;

	if (!region)
		return refuse(link, IFACE "NoSuchRegion", name);
	if (region->fd < 0)
		return refuse(link, IFACE "RegionLost", name);
	if (strcmp(region->check, "damaged") == 0 && !(damaged && sd_json_variant_boolean(damaged)))
		return refuse(link, IFACE "RegionDamaged", name);
	region->claimed = true;
	must(build(region, &json) >= 0);
	must(sd_varlink_push_dup_fd(link, region->fd) == 0);
	return sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_UNSIGNED("memoryFileDescriptor", 0),
				  SD_JSON_BUILD_PAIR_VARIANT("region", json));
}

static int on_unregister(sd_varlink *link, sd_json_variant *parameters,
			 sd_varlink_method_flags_t flags, void *userdata)
{
	const char *name = string_of(parameters, "name");

	if (!fake_find(userdata, name))
		return refuse(link, IFACE "NoSuchRegion", name);
	fake_forget(userdata, name);
	return sd_varlink_reply(link, NULL);
}

static int on_release(sd_varlink *link, sd_json_variant *parameters,
		      sd_varlink_method_flags_t flags, void *userdata)
{
	const char *name = string_of(parameters, "name");
	struct fake_region *region = fake_find(userdata, name);

	if (!region)
		return refuse(link, IFACE "NoSuchRegion", name);
	region->claimed = false;
	return sd_varlink_reply(link, NULL);
}

static int on_list(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
		   void *userdata)
{
	_cleanup_(sd_json_variant_unrefp) sd_json_variant *array = NULL;
	struct fake_khod *khod = userdata;

	must(sd_json_variant_new_array(&array, NULL, 0) >= 0);
	for (size_t i = 0; i < FAKE_REGIONS; i++) {
		_cleanup_(sd_json_variant_unrefp) sd_json_variant *json = NULL;

		if (!khod->regions[i].name[0])
			continue;
		must(build(&khod->regions[i], &json) >= 0);
		must(sd_json_variant_append_array(&array, json) >= 0);
	}
	return sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_VARIANT("regions", array));
}

static int notify(struct fake_khod *khod, const char *event)
{
	bool asks = strcmp(event, "prepare") == 0 || strcmp(event, "freeze") == 0;

	return sd_varlink_notifybo(
		khod->watcher, SD_JSON_BUILD_PAIR_STRING("event", event),
		SD_JSON_BUILD_PAIR_INTEGER("participant", khod->participant),
		SD_JSON_BUILD_PAIR_CONDITION(!!khod->update, "update",
					     SD_JSON_BUILD_STRING(khod->update)),
		SD_JSON_BUILD_PAIR_CONDITION(asks, "timeoutUSec",
					     SD_JSON_BUILD_INTEGER(khod->timeout_usec ?: 30000000)),
		SD_JSON_BUILD_PAIR_CONDITION(strcmp(event, "resume") == 0, "reason",
					     SD_JSON_BUILD_STRING("the operator gave up")));
}

static void note_names(struct fake_khod *khod, sd_json_variant *names)
{
	for (size_t i = 0; names && i < sd_json_variant_elements(names); i++) {
		const char *name = sd_json_variant_string(sd_json_variant_by_index(names, i));
		size_t n = strlen(khod->order);

		snprintf(khod->order + n, sizeof(khod->order) - n, ",%s", name);
	}
}

static int on_watch(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
		    void *userdata)
{
	struct fake_khod *khod = userdata;

	if (!(flags & SD_VARLINK_METHOD_MORE))
		return sd_varlink_error(link, SD_VARLINK_ERROR_EXPECTED_MORE, NULL);
	if (khod->watch_error)
		return sd_varlink_errorbo(link, khod->watch_error,
					  SD_JSON_BUILD_PAIR_STRING("cycle", "a → a"),
					  SD_JSON_BUILD_PAIR_STRING("message", "not like this"));
	must(!khod->watcher);
	khod->order[0] = '\0';
	note_names(khod, sd_json_variant_by_key(parameters, "freezeBefore"));
	strcat(khod->order, ";");
	note_names(khod, sd_json_variant_by_key(parameters, "freezeAfter"));
	khod->watcher = sd_varlink_ref(link);
	khod->participant++;
	return sd_varlink_notifybo(link, SD_JSON_BUILD_PAIR_STRING("event", "watching"),
				   SD_JSON_BUILD_PAIR_INTEGER("participant", khod->participant));
}

static int on_acknowledge(sd_varlink *link, sd_json_variant *parameters,
			  sd_varlink_method_flags_t flags, void *userdata)
{
	bool accept = sd_json_variant_boolean(sd_json_variant_by_key(parameters, "accept"));
	int64_t participant =
		sd_json_variant_integer(sd_json_variant_by_key(parameters, "participant"));
	const char *update = string_of(parameters, "update");
	const char *phase = string_of(parameters, "phase");
	struct fake_khod *khod = userdata;

	if (participant != khod->participant)
		return sd_varlink_errorbo(
			link, IFACE "NoSuchParticipant",
			SD_JSON_BUILD_PAIR_INTEGER("participant", participant),
			SD_JSON_BUILD_PAIR_STRING("message", "no such participant"));
	if (!khod->update || strcmp(khod->update, update) != 0 || strcmp(khod->phase, phase) != 0)
		return sd_varlink_errorbo(
			link, IFACE "UpdateInProgress",
			SD_JSON_BUILD_PAIR_STRING("update", khod->update ?: ""),
			SD_JSON_BUILD_PAIR_STRING("state", khod->state ?: "idle"),
			SD_JSON_BUILD_PAIR_STRING("message", "nothing like that is asked"));
	snprintf(khod->acknowledged, sizeof(khod->acknowledged), "%s:%s:%s:%s", phase, update,
		 accept ? "accept" : "refuse", string_of(parameters, "reason") ?: "");
	return sd_varlink_reply(link, NULL);
}

/* Gives half of what is asked for, within the bound, and once. */
static int on_extend_timeout(sd_varlink *link, sd_json_variant *parameters,
			     sd_varlink_method_flags_t flags, void *userdata)
{
	uint64_t usec = sd_json_variant_unsigned(sd_json_variant_by_key(parameters, "timeoutUSec"));
	struct fake_khod *khod = userdata;
	uint64_t given = khod->timeout_usec ?: 60000000;

	if (khod->extended[0])
		return sd_varlink_errorbo(
			link, IFACE "AlreadyExtended",
			SD_JSON_BUILD_PAIR_STRING("message", "it has had more time"));
	snprintf(khod->extended, sizeof(khod->extended), "%s:%s:%llu:%s",
		 string_of(parameters, "phase"), string_of(parameters, "update"),
		 (unsigned long long)usec, string_of(parameters, "reason") ?: "");
	if (given > usec / 2)
		given = usec / 2;
	return sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_UNSIGNED("timeoutUSec", given));
}

static void on_disconnect(sd_varlink_server *server, sd_varlink *link, void *userdata)
{
	struct fake_khod *khod = userdata;

	if (link == khod->watcher)
		khod->watcher = sd_varlink_unref(khod->watcher);
}

/* One byte is a command: the first letter of an event, or c for connections, or q. */
static int on_command(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct fake_khod *khod = userdata;
	unsigned reply = 0;
	char command;

	must(read(fd, &command, 1) == 1);
	if (command == 'q')
		return sd_event_exit(khod->event, 0);
	if (command == 'c')
		reply = sd_varlink_server_current_connections(khod->server);
	else {
		must(khod->watcher);
		must(notify(khod, command == 'p'   ? "prepare"
				  : command == 'f' ? "freeze"
				  : command == 'C' ? "committed"
						   : "resume") >= 0);
	}
	must(write(khod->reply_fd, &reply, sizeof(reply)) == sizeof(reply));
	return 0;
}

static void *run(void *userdata)
{
	struct fake_khod *khod = userdata;

	must(sd_event_loop(khod->event) >= 0);
	if (khod->watcher) {
		sd_varlink_close(khod->watcher);
		khod->watcher = sd_varlink_unref(khod->watcher);
	}
	khod->monitor = sd_varlink_unref(khod->monitor);
	khod->server = sd_varlink_server_unref(khod->server);
	khod->operators = sd_varlink_server_unref(khod->operators);
	khod->event = sd_event_unref(khod->event);
	return NULL;
}

static void serve(struct fake_khod *khod)
{
	char address[108];

	must(sd_varlink_server_new(&khod->server,
				   SD_VARLINK_SERVER_INHERIT_USERDATA |
					   SD_VARLINK_SERVER_ALLOW_FD_PASSING_INPUT |
					   SD_VARLINK_SERVER_ALLOW_FD_PASSING_OUTPUT) >= 0);
	sd_varlink_server_set_userdata(khod->server, khod);
	must(sd_varlink_server_add_interface(khod->server, &vl_interface_io_kho_Handover) >= 0);
	must(sd_varlink_server_bind_method_many(
		     khod->server, IFACE "Register", on_register, IFACE "Unregister", on_unregister,
		     IFACE "Claim", on_claim, IFACE "Release", on_release, IFACE "List", on_list,
		     IFACE "Watch", on_watch, IFACE "Acknowledge", on_acknowledge,
		     IFACE "ExtendTimeout", on_extend_timeout) >= 0);
	must(sd_varlink_server_bind_disconnect(khod->server, on_disconnect) >= 0);
	snprintf(address, sizeof(address), "%s/io.kho.Handover", getenv("KHO_RUNTIME_DIR"));
	unlink(address);
	must(sd_varlink_server_listen_address(khod->server, address, 0600) >= 0);
	must(sd_varlink_server_attach_event(khod->server, khod->event, 0) >= 0);
	khod->operators = fake_manager_serve(khod);
}

void fake_start(struct fake_khod *khod)
{
	int command[2], reply[2];

	must(pipe2(command, O_CLOEXEC) == 0 && pipe2(reply, O_CLOEXEC) == 0);
	khod->commanded_fd = command[0];
	khod->command_fd = command[1];
	khod->replied_fd = reply[0];
	khod->reply_fd = reply[1];
	must(sd_event_new(&khod->event) >= 0);
	must(sd_event_add_io(khod->event, NULL, khod->commanded_fd, EPOLLIN, on_command, khod) >=
	     0);
	serve(khod);
	must(pthread_create(&khod->thread, NULL, run, khod) == 0);
}

static unsigned command(struct fake_khod *khod, char byte)
{
	unsigned reply;

	must(write(khod->command_fd, &byte, 1) == 1);
	must(read(khod->replied_fd, &reply, sizeof(reply)) == sizeof(reply));
	return reply;
}

void fake_stop(struct fake_khod *khod)
{
	must(write(khod->command_fd, "q", 1) == 1);
	must(pthread_join(khod->thread, NULL) == 0);
	close(khod->command_fd);
	close(khod->commanded_fd);
	close(khod->reply_fd);
	close(khod->replied_fd);
}

void fake_tell(struct fake_khod *khod, const char *event)
{
	/* 'c' is another command. */
	command(khod, strcmp(event, "committed") == 0 ? 'C' : event[0]);
}

unsigned fake_connections(struct fake_khod *khod)
{
	return command(khod, 'c');
}
