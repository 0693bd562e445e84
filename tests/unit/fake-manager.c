/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>
#include <systemd/sd-json.h>
#include <systemd/sd-varlink.h>
#include <unistd.h>

#include "kho/core/cleanup.h"
#include "kho/daemon/varlink-io.kho.Manager.h"
#include "tests/unit/fake-manager.h"

#define IFACE "io.kho.Manager."

/* An assert that is there in every build. */
#define must(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static const char *string_of(sd_json_variant *parameters, const char *key)
{
	sd_json_variant *value = sd_json_variant_by_key(parameters, key);

	must(sd_json_variant_is_string(value));
	return sd_json_variant_string(value);
}

static int refuse(sd_varlink *link, const char *error, sd_json_variant *parameters)
{
	return sd_varlink_errorbo(
		link, error, SD_JSON_BUILD_PAIR_STRING("owner", string_of(parameters, "owner")),
		SD_JSON_BUILD_PAIR_STRING("name", string_of(parameters, "name")),
		SD_JSON_BUILD_PAIR_STRING("message", error));
}

static struct fake_region *find(struct fake_khod *khod, sd_json_variant *parameters)
{
	if (strcmp(string_of(parameters, "owner"), FAKE_OWNER) != 0)
		return NULL;
	return fake_find(khod, string_of(parameters, "name"));
}

static int on_drop(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
		   void *userdata)
{
	struct fake_region *region = find(userdata, parameters);

	if (!region)
		return refuse(link, IFACE "NoSuchRegion", parameters);
	fake_forget(userdata, region->name);
	return sd_varlink_reply(link, NULL);
}

static int on_take(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
		   void *userdata)
{
	sd_json_variant *damaged = sd_json_variant_by_key(parameters, "damaged");
	_cleanup_(sd_json_variant_unrefp) sd_json_variant *json = NULL;
	struct fake_region *region = find(userdata, parameters);

	if (!region)
		return refuse(link, IFACE "NoSuchRegion", parameters);
	if (region->fd < 0)
		return refuse(link, IFACE "RegionLost", parameters);
	if (strcmp(region->check, "damaged") == 0 && !(damaged && sd_json_variant_boolean(damaged)))
		return refuse(link, IFACE "RegionDamaged", parameters);
	must(sd_json_buildo(&json, SD_JSON_BUILD_PAIR_STRING("name", region->name),
			    SD_JSON_BUILD_PAIR_STRING("owner", FAKE_OWNER),
			    SD_JSON_BUILD_PAIR_UNSIGNED("size", 0),
			    SD_JSON_BUILD_PAIR_STRING("memdesc", "file"),
			    SD_JSON_BUILD_PAIR_BOOLEAN("required", region->required),
			    SD_JSON_BUILD_PAIR_BOOLEAN("claimed", region->claimed),
			    SD_JSON_BUILD_PAIR_STRING("check", region->check)) >= 0);
	must(sd_varlink_push_dup_fd(link, region->fd) == 0);
	return sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_UNSIGNED("memoryFileDescriptor", 0),
				  SD_JSON_BUILD_PAIR_VARIANT("region", json));
}

/* Of another's only the name stays. */
static int on_give(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
		   void *userdata)
{
	sd_json_variant *to = sd_json_variant_by_key(parameters, "newOwner");
	struct fake_region *region = find(userdata, parameters);
	struct fake_khod *khod = userdata;

	if (!region)
		return refuse(link, IFACE "NoSuchRegion", parameters);
	snprintf(khod->given, sizeof(khod->given), "%s:%s", region->name,
		 to ? sd_json_variant_string(to) : "");
	return sd_varlink_reply(link, NULL);
}

/* Three events, the last of a later khod, and then nothing more. */
static int on_monitor(sd_varlink *link, sd_json_variant *parameters,
		      sd_varlink_method_flags_t flags, void *userdata)
{
	struct fake_khod *khod = userdata;

	must(!khod->monitor);
	khod->monitor = sd_varlink_ref(link);
	must(sd_varlink_notifybo(link, SD_JSON_BUILD_PAIR_STRING("event", "monitoring"),
				 SD_JSON_BUILD_PAIR_UNSIGNED("realtimeUSec", 1000000),
				 SD_JSON_BUILD_PAIR_STRING("state", "preparing"),
				 SD_JSON_BUILD_PAIR_STRING("update", "u1")) >= 0);
	must(sd_varlink_notifybo(link, SD_JSON_BUILD_PAIR_STRING("event", "refused"),
				 SD_JSON_BUILD_PAIR_UNSIGNED("realtimeUSec", 1500000),
				 SD_JSON_BUILD_PAIR_STRING("state", "preparing"),
				 SD_JSON_BUILD_PAIR_STRING("owner", FAKE_OWNER),
				 SD_JSON_BUILD_PAIR_STRING("phase", "prepare"),
				 SD_JSON_BUILD_PAIR_STRING("reason", "busy\033[2J")) >= 0);
	return sd_varlink_notifybo(link, SD_JSON_BUILD_PAIR_STRING("event", "painted"),
				   SD_JSON_BUILD_PAIR_UNSIGNED("realtimeUSec", 2000000),
				   SD_JSON_BUILD_PAIR_STRING("state", "idle"),
				   SD_JSON_BUILD_PAIR_STRING("reason", "$o [blue]"));
}

static void on_disconnect(sd_varlink_server *server, sd_varlink *link, void *userdata)
{
	struct fake_khod *khod = userdata;

	if (link == khod->monitor)
		khod->monitor = sd_varlink_unref(khod->monitor);
}

struct sd_varlink_server *fake_manager_serve(struct fake_khod *khod)
{
	sd_varlink_server *server;
	char address[108];

	must(sd_varlink_server_new(&server, SD_VARLINK_SERVER_INHERIT_USERDATA |
						    SD_VARLINK_SERVER_ALLOW_FD_PASSING_OUTPUT) >=
	     0);
	sd_varlink_server_set_userdata(server, khod);
	must(sd_varlink_server_add_interface(server, &vl_interface_io_kho_Manager) >= 0);
	must(sd_varlink_server_bind_method_many(server, IFACE "Drop", on_drop, IFACE "Take",
						on_take, IFACE "Give", on_give, IFACE "Monitor",
						on_monitor) >= 0);
	must(sd_varlink_server_bind_disconnect(server, on_disconnect) >= 0);
	snprintf(address, sizeof(address), "%s/io.kho.Manager", getenv("KHO_RUNTIME_DIR"));
	unlink(address);
	must(sd_varlink_server_listen_address(server, address, 0600) >= 0);
	must(sd_varlink_server_attach_event(server, khod->event, 0) >= 0);
	return server;
}
