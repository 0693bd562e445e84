/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <systemd/sd-json.h>

#include "kho/daemon/claims.h"
#include "kho/daemon/log.h"
#include "kho/daemon/manager-methods.h"
#include "kho/daemon/manager-regions.h"
#include "kho/daemon/monitor.h"
#include "kho/daemon/owner.h"
#include "kho/daemon/region-json.h"
#include "kho/daemon/updater.h"

struct region_parameters {
	const char *owner;
	const char *name;
	const char *new_owner; /* of Give */
	int damaged;	       /* of Take */
};

static int region_error(sd_varlink *link, const char *error, const struct region_parameters *p,
			const char *what, const char *reason)
{
	_cleanup_free_ char *message = NULL;

	if (asprintf(&message, "region \"%s\" of %s %s: %s", p->name, p->owner, what,
		     reason ? reason : "no reason is known") < 0)
		return -ENOMEM;
	return sd_varlink_errorbo(link, error, SD_JSON_BUILD_PAIR_STRING("owner", p->owner),
				  SD_JSON_BUILD_PAIR_STRING("name", p->name),
				  SD_JSON_BUILD_PAIR_STRING("message", message));
}

/* 0: *ret is the region; 1: it is not known yet, or there is none, and the error has been sent. */
static int find_region(sd_varlink *link, const struct manager *m, const struct region_parameters *p,
		       struct region **ret)
{
	int r;

	if (m->update->state == UPDATE_RESTORING) {
		r = manager_update_in_progress(link, m);
		return r < 0 ? r : 1;
	}
	*ret = handover_find(m->registry.tree, p->owner, p->name);
	if (*ret)
		return 0;
	r = region_error(link, "io.kho.Manager.NoSuchRegion", p, "does not exist",
			 "kho list names all");
	return r < 0 ? r : 1;
}

int manager_drop_method(sd_varlink *link, sd_json_variant *parameters,
			sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field table[] = {
		{"owner", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct region_parameters, owner), SD_JSON_MANDATORY},
		{"name", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct region_parameters, name), SD_JSON_MANDATORY},
		{}};
	struct region_parameters p = {};
	struct manager *m = userdata;
	struct region *region;
	int r;

	if (manager_is_oneway(flags))
		return 0;
	r = sd_varlink_dispatch(link, parameters, table, &p);
	if (r != 0)
		return r;
	r = find_region(link, m, &p, &region);
	if (r != 0)
		return r < 0 ? r : 0;
	if (!updater_lets_go(m, region))
		return manager_update_in_progress(link, m);
	log_message(LOG_NOTICE, MESSAGE_REGION_DROPPED,
		    &(struct log_about){.owner = p.owner, .region = p.name},
		    "Root drops \"%s\" of %s: it is not kept any more", p.name, p.owner);
	monitor_region(m, "dropped", region);
	updater_forget(m, region);
	r = registry_remove(&m->registry, region);
	if (r < 0)
		return r;
	claims_changed(m);
	return sd_varlink_reply(link, NULL);
}

/* A name that no owner can have would put the region out of everybody's reach. */
static bool is_owner(const char *owner)
{
	return region_owner_is_valid(owner) && (strchr(owner, '.') || !strncmp(owner, "uid:", 4));
}

static int give(sd_varlink *link, struct manager *m, struct region *region,
		const struct region_parameters *p)
{
	sd_json_variant *json = NULL;
	int r = handover_give(m->registry.tree, region, p->new_owner);

	if (r == -EEXIST)
		return region_error(
			link, "io.kho.Manager.RegionExists",
			&(struct region_parameters){.owner = p->new_owner, .name = p->name},
			"exists already", "drop it first, or leave this one where it is");
	if (r < 0)
		return r;
	region->claimed = false;
	log_message(LOG_NOTICE, MESSAGE_REGION_GIVEN,
		    &(struct log_about){.owner = p->owner, .region = p->name},
		    "Root makes \"%s\" of %s a region of %s", p->name, p->owner, region->owner);
	monitor_region(m, "given", region);
	r = registry_save(&m->registry);
	claims_changed(m);
	if (r >= 0)
		r = region_status_to_json(region, &json);
	if (r >= 0)
		r = sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_VARIANT("region", json));
	sd_json_variant_unref(json);
	return r;
}

int manager_give_method(sd_varlink *link, sd_json_variant *parameters,
			sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field table[] = {
		{"owner", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct region_parameters, owner), SD_JSON_MANDATORY},
		{"name", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct region_parameters, name), SD_JSON_MANDATORY},
		{"newOwner", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct region_parameters, new_owner), SD_JSON_NULLABLE},
		{}};
	_cleanup_free_ char *caller = NULL;
	struct region_parameters p = {};
	struct manager *m = userdata;
	struct region *region;
	int r;

	if (manager_is_oneway(flags))
		return 0;
	r = sd_varlink_dispatch(link, parameters, table, &p);
	if (r != 0)
		return r;
	if (p.new_owner && !is_owner(p.new_owner))
		return sd_varlink_error_invalid_parameter_name(link, "newOwner");
	r = find_region(link, m, &p, &region);
	if (r != 0)
		return r < 0 ? r : 0;
	if (m->update->state != UPDATE_IDLE)
		return manager_update_in_progress(link, m);
	if (region->check == REGION_LOST)
		return region_error(link, "io.kho.Manager.RegionLost", &p, "is lost",
				    region->reason);
	if (!p.new_owner) {
		r = owner_of_peer(link, &caller);
		if (r < 0)
			return r;
		p.new_owner = caller;
	}
	return give(link, m, region, &p);
}

static int reply_taken(sd_varlink *link, const struct manager *m, const struct region *region)
{
	sd_json_variant *json = NULL;
	int r = region_status_to_json(region, &json), index;

	if (r < 0)
		return r;
	index = sd_varlink_push_dup_fd(link, registry_fd(&m->registry, region));
	if (index < 0)
		r = index;
	else
		r = sd_varlink_replybo(link,
				       SD_JSON_BUILD_PAIR_UNSIGNED("memoryFileDescriptor", index),
				       SD_JSON_BUILD_PAIR_VARIANT("region", json));
	sd_json_variant_unref(json);
	return r;
}

int manager_take_method(sd_varlink *link, sd_json_variant *parameters,
			sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field table[] = {
		{"owner", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct region_parameters, owner), SD_JSON_MANDATORY},
		{"name", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct region_parameters, name), SD_JSON_MANDATORY},
		{"damaged", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_tristate,
		 offsetof(struct region_parameters, damaged), SD_JSON_NULLABLE},
		{}};
	struct region_parameters p = {};
	struct manager *m = userdata;
	struct region *region;
	int r;

	if (manager_is_oneway(flags))
		return 0;
	r = sd_varlink_dispatch(link, parameters, table, &p);
	if (r != 0)
		return r;
	r = find_region(link, m, &p, &region);
	if (r != 0)
		return r < 0 ? r : 0;
	if (region->check == REGION_LOST)
		return region_error(link, "io.kho.Manager.RegionLost", &p, "is lost",
				    region->reason);
	if (region->check == REGION_DAMAGED && p.damaged <= 0)
		return region_error(link, "io.kho.Manager.RegionDamaged", &p,
				    "is damaged (kho get --damaged takes it as it is)",
				    region->reason);
	log_message(LOG_NOTICE, MESSAGE_REGION_TAKEN,
		    &(struct log_about){.owner = p.owner, .region = p.name},
		    "Root takes the content of \"%s\" of %s", p.name, p.owner);
	monitor_region(m, "taken", region);
	return reply_taken(link, m, region);
}
