/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>
#include <systemd/sd-json.h>

#include "kho/core/memdesc.h"
#include "kho/daemon/claims.h"
#include "kho/daemon/fdstore.h"
#include "kho/daemon/handover-methods.h"
#include "kho/daemon/log.h"
#include "kho/daemon/peers.h"
#include "kho/daemon/region-json.h"
#include "kho/daemon/updater.h"
#include "kho/daemon/varlink-io.kho.Handover.h"
#include "kho/kernel/pages.h"

#define HANDOVER_ERROR(name) "io.kho.Handover." name
/* Pages whose flags are looked at when a region is registered; see pages_census(). */
#define CENSUS_PAGES 4096
/* Sockets, the tree, sessions: what the fd store and the fd table need beside the regions. */
#define FDS_RESERVED 128

/* A call that waits for the end of restoring. */
struct pending {
	sd_varlink *link;
	sd_varlink_method_t method;
	sd_json_variant *parameters;
	sd_varlink_method_flags_t flags;
};

static int error_with_name(sd_varlink *link, const char *error, const char *name,
			   const char *format, ...) __attribute__((format(printf, 4, 5)));

static int error_with_name(sd_varlink *link, const char *error, const char *name,
			   const char *format, ...)
{
	_cleanup_free_ char *message = NULL;
	va_list ap;
	int r;

	va_start(ap, format);
	r = vasprintf(&message, format, ap);
	va_end(ap);
	if (r < 0)
		return -ENOMEM;
	return sd_varlink_errorbo(link, error, SD_JSON_BUILD_PAIR_STRING("name", name),
				  SD_JSON_BUILD_PAIR_STRING("message", message));
}

static int no_such_region(struct peer *peer, const char *name)
{
	return error_with_name(peer->link, HANDOVER_ERROR("NoSuchRegion"), name,
			       "%s has no region \"%s\"", peer->owner, name);
}

static int update_in_progress(struct peer *peer, const char *what)
{
	const struct handover *tree = peer->manager->registry.tree;
	const char *update = tree->update_id ? tree->update_id : "";
	const char *state = update_state_to_string(peer->manager->update->state);
	_cleanup_free_ char *message = NULL;

	if (asprintf(&message, "update %s is %s: no region can be %s now; wait, or kexec --kho -u",
		     update, state, what) < 0)
		return -ENOMEM;
	return sd_varlink_errorbo(peer->link, HANDOVER_ERROR("UpdateInProgress"),
				  SD_JSON_BUILD_PAIR_STRING("update", update),
				  SD_JSON_BUILD_PAIR_STRING("state", state),
				  SD_JSON_BUILD_PAIR_STRING("message", message));
}

/* True: the call is kept for later. */
static bool wait_for_restore(struct peer *peer, sd_varlink_method_t method,
			     sd_json_variant *parameters, sd_varlink_method_flags_t flags)
{
	struct manager *m = peer->manager;
	struct pending *pending;

	if (m->update->state != UPDATE_RESTORING)
		return false;
	pending = reallocarray(m->pending, m->n_pending + 1, sizeof(*pending));
	if (!pending)
		return false;
	m->pending = pending;
	pending[m->n_pending++] = (struct pending){.link = sd_varlink_ref(peer->link),
						   .method = method,
						   .parameters = sd_json_variant_ref(parameters),
						   .flags = flags};
	return true;
}

static void pending_done(struct pending *p)
{
	sd_varlink_unref(p->link);
	sd_json_variant_unref(p->parameters);
}

void handover_methods_resume(struct manager *m)
{
	struct pending *pending = TAKE_PTR(m->pending);
	size_t n = m->n_pending;

	m->n_pending = 0;
	for (size_t i = 0; i < n; i++) {
		struct pending *p = &pending[i];
		struct peer *peer = sd_varlink_get_userdata(p->link);

		/* Without a peer the connection is closed by now. */
		if (peer && p->method(p->link, p->parameters, p->flags, peer) < 0)
			sd_varlink_close(p->link);
		pending_done(p);
	}
	free(pending);
}

void handover_methods_free(struct manager *m)
{
	for (size_t i = 0; i < m->n_pending; i++)
		pending_done(&m->pending[i]);
	free(m->pending);
	m->pending = NULL;
	m->n_pending = 0;
}

/* An answer that is sent when the fd store has what it was given. */
struct answer {
	sd_varlink *link;
	sd_json_variant *parameters;
};

static void answer_send(int result, void *userdata)
{
	struct answer *answer = userdata;

	if (result < 0)
		(void)sd_varlink_error_errno(answer->link, result);
	else
		(void)sd_varlink_reply(answer->link, answer->parameters);
	sd_varlink_unref(answer->link);
	sd_json_variant_unref(answer->parameters);
	free(answer);
}

static int answer_when_stored(struct peer *peer, const struct region *region)
{
	struct answer *answer = calloc(1, sizeof(*answer));
	sd_json_variant *json = NULL;
	int r;

	if (!answer)
		return -ENOMEM;
	answer->link = sd_varlink_ref(peer->link);
	r = region_to_json(region, &json);
	if (r >= 0)
		r = sd_json_buildo(&answer->parameters, SD_JSON_BUILD_PAIR_VARIANT("region", json));
	sd_json_variant_unref(json);
	if (r >= 0)
		r = fdstore_barrier(peer->manager->event, answer_send, answer);
	if (r < 0)
		answer_send(r, answer);
	return 0;
}

struct register_parameters {
	const char *name;
	unsigned int fd_index;
	const char *memdesc;
	int required;
};

/* 0: the memory is what was declared; 1: it is not, and the error has been sent. */
static int check_memdesc(struct peer *peer, int fd, const char *declared_text, uint32_t *ret)
{
	char declared_buf[MEMDESC_TEXT_MAX], actual_buf[MEMDESC_TEXT_MAX];
	uint32_t declared = memdesc_encode(MEMDESC_FILE, MEMDESC_NO_SUBTYPE, false, 0);
	_cleanup_free_ char *message = NULL;
	struct page_census census = {};
	const char *advice;
	int r;

	if (declared_text && memdesc_parse(declared_text, &declared) < 0)
		return sd_varlink_error_invalid_parameter_name(peer->link, "memdesc") < 0 ? -EIO : 1;
	advice = memdesc_handover_advice(declared);
	if (advice) {
		r = sd_varlink_errorbo(
			peer->link, HANDOVER_ERROR("UnsupportedMemory"),
			SD_JSON_BUILD_PAIR_STRING("kind", memdesc_format(declared, declared_buf)),
			SD_JSON_BUILD_PAIR_STRING("message", advice));
		return r < 0 ? r : 1;
	}
	r = pages_census(fd, CENSUS_PAGES, &census);
	*ret = r >= 0 && census.seen > 0 ? census.memdesc : declared;
	if (r < 0 || census.seen == 0 || memdesc_agree(declared, census.memdesc))
		return 0;
	if (asprintf(&message, "the memory is declared as %s, but its pages are %s; declare what it is",
		     memdesc_format(declared, declared_buf),
		     memdesc_format(census.memdesc, actual_buf)) < 0)
		return -ENOMEM;
	r = sd_varlink_errorbo(peer->link, HANDOVER_ERROR("MemdescMismatch"),
			       SD_JSON_BUILD_PAIR_STRING("declared", declared_buf),
			       SD_JSON_BUILD_PAIR_STRING("actual", actual_buf),
			       SD_JSON_BUILD_PAIR_STRING("message", message));
	return r < 0 ? r : 1;
}

static int limit_reached(struct peer *peer, uint64_t limit, const char *message)
{
	int r = sd_varlink_errorbo(peer->link, HANDOVER_ERROR("LimitReached"),
				   SD_JSON_BUILD_PAIR_UNSIGNED("limit", limit),
				   SD_JSON_BUILD_PAIR_STRING("message", message));

	return r < 0 ? r : 1;
}

static uint64_t regions_max(void)
{
	uint64_t store = fdstore_max(), max = HANDOVER_REGIONS_MAX;
	struct rlimit files;

	if (store < max + FDS_RESERVED)
		max = store > FDS_RESERVED ? store - FDS_RESERVED : 0;
	/* Each region is an fd here. */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < max + FDS_RESERVED)
		max = files.rlim_cur > FDS_RESERVED ? files.rlim_cur - FDS_RESERVED : 0;
	return max;
}

static int check_limits(struct peer *peer, const struct memory_kind *kind)
{
	uint64_t max = regions_max();

	if (peer->manager->registry.tree->n_regions >= max)
		return limit_reached(peer, max,
				     "no more regions fit: unregister some, or raise LimitNOFILE= and "
				     "FileDescriptorStoreMax= of khod.service (4,096 at most)");
	if (kind->size >= REGION_SIZE_MAX)
		return limit_reached(peer, REGION_SIZE_MAX - 1,
				     "a region has to be smaller than 1 TiB, since the kernel can't list "
				     "more pages of one file: make several of it");
	return 0;
}

/* 0: the memory can be kept; 1: it can't, and the error has been sent. */
static int check_memory(struct peer *peer, int fd, struct memory_kind *ret)
{
	const struct region *other;
	const char *advice;
	int r;

	r = memory_identify(fd, ret);
	if (r < 0)
		return r;
	advice = memory_type_advice(ret->type);
	if (advice) {
		r = sd_varlink_errorbo(
			peer->link, HANDOVER_ERROR("UnsupportedMemory"),
			SD_JSON_BUILD_PAIR_STRING("kind", memory_type_name(ret->type)),
			SD_JSON_BUILD_PAIR_STRING("message", advice));
		return r < 0 ? r : 1;
	}
	other = registry_find_memory(&peer->manager->registry, fd);
	if (other) {
		/* Another owner's names are nobody's business. */
		const char *name = strcmp(other->owner, peer->owner) ? "" : other->name;

		r = error_with_name(peer->link, HANDOVER_ERROR("DuplicateMemory"), name,
				    "this memory is registered already, as region \"%s\"", name);
		return r < 0 ? r : 1;
	}
	return check_limits(peer, ret);
}

/* 0: the name is free; 1: it is not, and the error has been sent. */
static int check_name(struct peer *peer, const char *name)
{
	const char *advice = region_name_advice(name);
	const struct region *region;
	int r;

	if (advice) {
		r = error_with_name(peer->link, HANDOVER_ERROR("InvalidName"), name, "%s", advice);
		return r < 0 ? r : 1;
	}
	region = handover_find(peer->manager->registry.tree, peer->owner, name);
	if (!region)
		return 0;
	if (region->check == REGION_LOST)
		r = error_with_name(peer->link, HANDOVER_ERROR("RegionLost"), name,
				    "region \"%s\" of %s was lost in the last update (%s); unregister "
				    "it first, so that nobody overlooks that",
				    name, peer->owner, region->reason ? region->reason : "");
	else
		r = error_with_name(peer->link, HANDOVER_ERROR("RegionExists"), name,
				    "%s has a region \"%s\" already: claim or unregister it",
				    peer->owner, name);
	return r < 0 ? r : 1;
}

static int register_region(struct peer *peer, const struct register_parameters *p, int fd,
			   const struct memory_kind *kind, uint32_t memdesc)
{
	struct manager *m = peer->manager;
	_cleanup_region_ struct region *region = NULL;
	struct region *added;
	int r;

	r = region_new(peer->owner, p->name, &region);
	if (r < 0)
		return r;
	region->size = kind->size;
	region->memdesc = memdesc;
	region->required = p->required != 0;
	region->claimed = true;
	r = registry_add(&m->registry, region, fd);
	if (r < 0)
		return r;
	added = TAKE_PTR(region);
	log_info("%s registers \"%s\": %" PRIu64 " bytes", peer->owner, p->name, kind->size);
	r = updater_feed(m, &(struct update_event){.kind = EVENT_REGION});
	if (r < 0) {
		registry_remove(&m->registry, added);
		return update_in_progress(peer, "registered");
	}
	return answer_when_stored(peer, added);
}

static int method_register(sd_varlink *link, sd_json_variant *parameters,
			   sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field table[] = {
		{"name", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct register_parameters, name), SD_JSON_MANDATORY},
		{"memoryFileDescriptor", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint,
		 offsetof(struct register_parameters, fd_index), SD_JSON_MANDATORY},
		{"memdesc", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct register_parameters, memdesc), SD_JSON_NULLABLE},
		{"required", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_tristate,
		 offsetof(struct register_parameters, required), SD_JSON_NULLABLE},
		{}};
	struct register_parameters p = {.required = true};
	struct peer *peer = userdata;
	struct memory_kind kind;
	uint32_t memdesc;
	int fd, r;

	r = sd_varlink_dispatch(link, parameters, table, &p);
	if (r != 0)
		return r;
	if (wait_for_restore(peer, method_register, parameters, flags))
		return 0;
	fd = sd_varlink_peek_fd(link, p.fd_index);
	if (fd < 0)
		return sd_varlink_error_invalid_parameter_name(link, "memoryFileDescriptor");
	r = check_name(peer, p.name);
	if (r == 0)
		r = check_memory(peer, fd, &kind);
	if (r == 0)
		r = check_memdesc(peer, fd, p.memdesc, &memdesc);
	if (r != 0)
		return r < 0 ? r : 0;
	return register_region(peer, &p, fd, &kind, memdesc);
}

static int dispatch_name(sd_varlink *link, sd_json_variant *parameters, const char **ret)
{
	static const sd_json_dispatch_field table[] = {
		{"name", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string, 0,
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

	r = dispatch_name(link, parameters, &name);
	if (r != 0)
		return r;
	if (wait_for_restore(peer, method_unregister, parameters, flags))
		return 0;
	region = handover_find(m->registry.tree, peer->owner, name);
	if (!region)
		return no_such_region(peer, name);
	/* An update in progress uses the fd. */
	if (m->update->state != UPDATE_IDLE && registry_fd(&m->registry, region) >= 0)
		return update_in_progress(peer, "unregistered");
	log_info("%s unregisters \"%s\"", peer->owner, name);
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
	r = registry_save(&m->registry);
	if (r < 0)
		return r;
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

	r = sd_varlink_dispatch(link, parameters, table, &p);
	if (r != 0)
		return r;
	if (wait_for_restore(peer, method_claim, parameters, flags))
		return 0;
	region = handover_find(peer->manager->registry.tree, peer->owner, p.name);
	if (!region)
		return no_such_region(peer, p.name);
	if (region->check == REGION_LOST)
		return error_with_name(link, HANDOVER_ERROR("RegionLost"), p.name,
				       "region \"%s\" of %s is lost: %s", p.name, peer->owner,
				       region->reason ? region->reason : "no reason is known");
	if (region->check == REGION_DAMAGED && p.damaged <= 0)
		return error_with_name(link, HANDOVER_ERROR("RegionDamaged"), p.name,
				       "region \"%s\" of %s is damaged: %s", p.name, peer->owner,
				       region->reason ? region->reason : "no reason is known");
	log_info("%s claims \"%s\"", peer->owner, p.name);
	return claim_region(peer, region);
}

static int method_release(sd_varlink *link, sd_json_variant *parameters,
			  sd_varlink_method_flags_t flags, void *userdata)
{
	struct peer *peer = userdata;
	struct region *region;
	const char *name;
	int r;

	r = dispatch_name(link, parameters, &name);
	if (r != 0)
		return r;
	if (wait_for_restore(peer, method_release, parameters, flags))
		return 0;
	region = handover_find(peer->manager->registry.tree, peer->owner, name);
	if (!region)
		return no_such_region(peer, name);
	region->claimed = false;
	r = registry_save(&peer->manager->registry);
	return r < 0 ? r : sd_varlink_reply(link, NULL);
}

static int method_list(sd_varlink *link, sd_json_variant *parameters,
		       sd_varlink_method_flags_t flags, void *userdata)
{
	struct peer *peer = userdata;
	const struct handover *tree = peer->manager->registry.tree;
	sd_json_variant *regions = NULL;
	int r;

	r = sd_varlink_dispatch(link, parameters, NULL, NULL);
	if (r != 0)
		return r;
	if (wait_for_restore(peer, method_list, parameters, flags))
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

static int method_watch(sd_varlink *link, sd_json_variant *parameters,
			sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field table[] = {
		{"required", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_tristate, 0,
		 SD_JSON_NULLABLE},
		{}};
	int required = true, r;

	r = sd_varlink_dispatch(link, parameters, table, &required);
	if (r != 0)
		return r;
	return peer_watch(userdata, required != 0);
}

struct acknowledge_parameters {
	uint32_t participant;
	const char *update;
	const char *phase;
	int accept;
	const char *reason;
};

static int acknowledge(struct peer *peer, const struct acknowledge_parameters *p)
{
	struct manager *m = peer->manager;
	enum update_phase phase = strcmp(p->phase, "prepare") ? PHASE_FREEZE : PHASE_PREPARE;
	int r;

	if (p->accept <= 0)
		updater_note_refusal(m, p->reason);
	r = updater_feed(m, &(struct update_event){
				    .kind = p->accept > 0 ? EVENT_ACCEPT : EVENT_REFUSE,
				    .participant = p->participant,
				    .phase = phase,
				    .refusal = REFUSAL_PARTICIPANT});
	return r < 0 ? update_in_progress(peer, "acknowledged") : sd_varlink_reply(peer->link, NULL);
}

static int method_acknowledge(sd_varlink *link, sd_json_variant *parameters,
			      sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field table[] = {
		{"participant", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint32,
		 offsetof(struct acknowledge_parameters, participant), SD_JSON_MANDATORY},
		{"update", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct acknowledge_parameters, update), SD_JSON_MANDATORY},
		{"phase", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct acknowledge_parameters, phase), SD_JSON_MANDATORY},
		{"accept", SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_tristate,
		 offsetof(struct acknowledge_parameters, accept), SD_JSON_MANDATORY},
		{"reason", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		 offsetof(struct acknowledge_parameters, reason), SD_JSON_NULLABLE},
		{}};
	struct acknowledge_parameters p = {};
	struct peer *peer = userdata;
	const struct peer *watcher;
	int r;

	r = sd_varlink_dispatch(link, parameters, table, &p);
	if (r != 0)
		return r;
	watcher = p.participant ? peer_of_participant(peer->manager, p.participant) : NULL;
	if (!watcher || strcmp(watcher->owner, peer->owner))
		return sd_varlink_errorbo(
			link, HANDOVER_ERROR("NoSuchParticipant"),
			SD_JSON_BUILD_PAIR_UNSIGNED("participant", p.participant),
			SD_JSON_BUILD_PAIR_STRING("message",
						  "nobody of this owner watches by that number"));
	if (strcmp(p.phase, "prepare") && strcmp(p.phase, "freeze"))
		return sd_varlink_error_invalid_parameter_name(link, "phase");
	if (updater_is_current(peer->manager, p.update) < 0)
		return update_in_progress(peer, "acknowledged");
	return acknowledge(peer, &p);
}

int handover_methods_bind(sd_varlink_server *server)
{
	int r = sd_varlink_server_add_interface(server, &vl_interface_io_kho_Handover);

	if (r < 0)
		return r;
	return sd_varlink_server_bind_method_many(
		server, "io.kho.Handover.Register", method_register, "io.kho.Handover.Unregister",
		method_unregister, "io.kho.Handover.Claim", method_claim, "io.kho.Handover.Release",
		method_release, "io.kho.Handover.List", method_list, "io.kho.Handover.Watch",
		method_watch, "io.kho.Handover.Acknowledge", method_acknowledge);
}
