/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <systemd/sd-json.h>

#include "kho/daemon/claims.h"
#include "kho/daemon/handover-error.h"
#include "kho/daemon/handover-methods.h"
#include "kho/daemon/log.h"
#include "kho/daemon/monitor.h"
#include "kho/daemon/participant-methods.h"
#include "kho/daemon/pending.h"
#include "kho/daemon/region-json.h"
#include "kho/daemon/updater.h"
#include "kho/daemon/register.h"
#include "kho/daemon/varlink-io.kho.Handover.h"

static int dispatch_name(sd_varlink *link, sd_json_variant *parameters, const char **ret)
{
	static const sd_json_dispatch_field table[] = {{"name", SD_JSON_VARIANT_STRING,
							sd_json_dispatch_const_string, 0,
							SD_JSON_MANDATORY},
						       {}};

	return sd_varlink_dispatch(link, parameters, table, ret);
}

static int method_unregister(sd_varlink *link, sd_json_variant *parameters,
			     sd_varlink_method_flags_t flags, void *userdata)
{
	struct peer *peer = userdata;
	struct manager *m = peer->manager;
	struct region *region;
	const char *name;
	int r;

	if (!peer_may_call(userdata, flags))
		return 0;
	r = dispatch_name(link, parameters, &name);
	if (r != 0)
		return r;
	if (pending_keep(peer, method_unregister, parameters, flags))
		return 0;
	region = handover_find(m->registry.tree, peer->owner, name);
	if (!region)
		return handover_no_such_region(peer, name);
	if (!updater_lets_go(m, region))
		return handover_update_in_progress(peer, "no region can be unregistered");
	log_message(LOG_INFO, MESSAGE_REGION_UNREGISTERED,
		    &(struct log_about){.owner = peer->owner, .region = name},
		    "%s unregisters \"%s\": it is not kept any more", peer->owner, name);
	monitor_region(m, "unregistered", region);
	updater_forget(m, region);
	r = registry_remove(&m->registry, region);
	if (r < 0)
		return r;
	claims_changed(m);
	return sd_varlink_reply(link, NULL);
}

struct claim_parameters {
	const char *name;
	int damaged;
};

static int claim_region(struct peer *peer, struct region *region)
{
	struct manager *m = peer->manager;
	sd_json_variant *json = NULL;
	int r, index;

	region->claimed = true;
	r = region_to_json(region, &json);
	if (r < 0)
		return r;
	index = sd_varlink_push_dup_fd(peer->link, registry_fd(&m->registry, region));
	if (index < 0)
		r = index;
	else
		r = sd_varlink_replybo(peer->link,
				       SD_JSON_BUILD_PAIR_UNSIGNED("memoryFileDescriptor", index),
				       SD_JSON_BUILD_PAIR_VARIANT("region", json));
	sd_json_variant_unref(json);
	claims_changed(m);
	return r;
}

static int method_claim(sd_varlink *link, sd_json_variant *parameters,
			sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field table[] = {
		{"name", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct claim_parameters, name), SD_JSON_MANDATORY},
		{"damaged", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_tristate,
		 offsetof(struct claim_parameters, damaged), SD_JSON_NULLABLE},
		{}};
	struct claim_parameters p = {};
	struct peer *peer = userdata;
	struct region *region;
	int r;

	if (!peer_may_call(userdata, flags))
		return 0;
	r = sd_varlink_dispatch(link, parameters, table, &p);
	if (r != 0)
		return r;
	if (pending_keep(peer, method_claim, parameters, flags))
		return 0;
	region = handover_find(peer->manager->registry.tree, peer->owner, p.name);
	if (!region)
		return handover_no_such_region(peer, p.name);
	if (region->check == REGION_LOST)
		return handover_error(link, HANDOVER_ERROR("RegionLost"), p.name,
				      "region \"%s\" of %s is lost: %s", p.name, peer->owner,
				      region->reason ? region->reason : "no reason is known");
	if (region->check == REGION_DAMAGED && p.damaged <= 0)
		return handover_error(link, HANDOVER_ERROR("RegionDamaged"), p.name,
				      "region \"%s\" of %s is damaged: %s", p.name, peer->owner,
				      region->reason ? region->reason : "no reason is known");
	log_message(LOG_INFO, MESSAGE_REGION_CLAIMED,
		    &(struct log_about){.owner = peer->owner, .region = p.name}, "%s claims \"%s\"",
		    peer->owner, p.name);
	monitor_region(peer->manager, "claimed", region);
	return claim_region(peer, region);
}

static int method_release(sd_varlink *link, sd_json_variant *parameters,
			  sd_varlink_method_flags_t flags, void *userdata)
{
	struct peer *peer = userdata;
	struct region *region;
	const char *name;
	int r;

	if (!peer_may_call(userdata, flags))
		return 0;
	r = dispatch_name(link, parameters, &name);
	if (r != 0)
		return r;
	if (pending_keep(peer, method_release, parameters, flags))
		return 0;
	region = handover_find(peer->manager->registry.tree, peer->owner, name);
	if (!region)
		return handover_no_such_region(peer, name);
	region->claimed = false;
	monitor_region(peer->manager, "released", region);
	claims_changed(peer->manager);
	return sd_varlink_reply(link, NULL);
}

static int method_list(sd_varlink *link, sd_json_variant *parameters,
		       sd_varlink_method_flags_t flags, void *userdata)
{
	struct peer *peer = userdata;
	const struct handover *tree = peer->manager->registry.tree;
	sd_json_variant *regions = NULL;
	int r;

	if (!peer_may_call(userdata, flags))
		return 0;
	r = sd_varlink_dispatch(link, parameters, NULL, NULL);
	if (r != 0)
		return r;
	if (pending_keep(peer, method_list, parameters, flags))
		return 0;
	r = sd_json_variant_new_array(&regions, NULL, 0);
	for (size_t i = 0; r >= 0 && i < tree->n_regions; i++) {
		sd_json_variant *json = NULL;

		if (strcmp(tree->regions[i]->owner, peer->owner))
			continue;
		r = region_to_json(tree->regions[i], &json);
		if (r >= 0)
			r = sd_json_variant_append_array(&regions, json);
		sd_json_variant_unref(json);
	}
	if (r >= 0)
		r = sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_VARIANT("regions", regions));
	sd_json_variant_unref(regions);
	return r;
}

int handover_methods_bind(sd_varlink_server *server)
{
	int r = sd_varlink_server_add_interface(server, &vl_interface_io_kho_Handover);

	if (r < 0)
		return r;
	return sd_varlink_server_bind_method_many(
		server, "io.kho.Handover.Register", register_method, "io.kho.Handover.Unregister",
		method_unregister, "io.kho.Handover.Claim", method_claim, "io.kho.Handover.Release",
		method_release, "io.kho.Handover.List", method_list, "io.kho.Handover.Watch",
		watch_method, "io.kho.Handover.Acknowledge", acknowledge_method,
		"io.kho.Handover.ExtendTimeout", extend_timeout_method);
}
