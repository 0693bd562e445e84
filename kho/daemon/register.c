/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>
#include <systemd/sd-json.h>

#include "kho/client/format.h"
#include "kho/core/memdesc.h"
#include "kho/daemon/fdstore.h"
#include "kho/daemon/handover-error.h"
#include "kho/daemon/log.h"
#include "kho/daemon/monitor.h"
#include "kho/daemon/pending.h"
#include "kho/daemon/quota.h"
#include "kho/daemon/region-json.h"
#include "kho/daemon/register.h"
#include "kho/daemon/updater.h"
#include "kho/kernel/pages.h"

/* Pages whose flags are looked at when a region is registered; see pages_census(). */
#define CENSUS_PAGES 4096
/* Sockets, the tree, sessions: what the fd store needs beside the regions. */
#define FDS_RESERVED 128

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

static int memdesc_mismatch(struct peer *peer, uint32_t declared, uint32_t actual)
{
	char declared_buf[MEMDESC_TEXT_MAX], actual_buf[MEMDESC_TEXT_MAX];
	_cleanup_free_ char *message = NULL;
	int r;

	if (asprintf(&message,
		     "the memory is declared as %s, but its pages are %s; declare what it is, or "
		     "nothing: file is the default",
		     memdesc_format(declared, declared_buf),
		     memdesc_format(actual, actual_buf)) < 0)
		return -ENOMEM;
	r = sd_varlink_errorbo(peer->link, HANDOVER_ERROR("MemdescMismatch"),
			       SD_JSON_BUILD_PAIR_STRING("declared", declared_buf),
			       SD_JSON_BUILD_PAIR_STRING("actual", actual_buf),
			       SD_JSON_BUILD_PAIR_STRING("message", message));
	return r < 0 ? r : 1;
}

/* 0: the memory is what was declared; 1: it is not, and the error has been sent. */
static int check_memdesc(struct peer *peer, int fd, const char *declared_text, uint32_t *ret)
{
	uint32_t declared = memdesc_encode(MEMDESC_FILE, MEMDESC_NO_SUBTYPE, false, 0);
	char kind[MEMDESC_TEXT_MAX];
	struct page_census census = {};
	const char *advice;
	int r;

	if (declared_text && memdesc_parse(declared_text, &declared) < 0)
		return sd_varlink_error_invalid_parameter_name(peer->link, "memdesc") < 0 ? -EIO
											  : 1;
	*ret = declared;
	if (pages_census(fd, CENSUS_PAGES, &census) >= 0 && census.seen > 0) {
		*ret = census.memdesc;
		if (!memdesc_agree(declared, census.memdesc))
			return memdesc_mismatch(peer, declared, census.memdesc);
	}
	advice = memdesc_handover_advice(*ret);
	if (!advice)
		return 0;
	r = sd_varlink_errorbo(peer->link, HANDOVER_ERROR("UnsupportedMemory"),
			       SD_JSON_BUILD_PAIR_STRING("kind", memdesc_format(*ret, kind)),
			       SD_JSON_BUILD_PAIR_STRING("message", advice));
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
	/* Each region is an fd here; the other half is for connections. */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur / 2 < max)
		max = files.rlim_cur / 2;
	return max;
}

/* What the account of that owner has already. */
static void count_account(const struct handover *tree, const char *owner, size_t *ret_regions,
			  uint64_t *ret_bytes)
{
	*ret_regions = *ret_bytes = 0;
	for (size_t i = 0; i < tree->n_regions; i++)
		if (quota_is_shared(tree->regions[i]->owner, owner)) {
			++*ret_regions;
			*ret_bytes += tree->regions[i]->size;
		}
}

static int check_quota(struct peer *peer, uint64_t size)
{
	struct quota quota = quota_of(peer->owner);
	uint64_t bytes;
	size_t regions;

	count_account(peer->manager->registry.tree, peer->owner, &regions, &bytes);
	if (regions >= quota.regions)
		return limit_reached(peer, quota.regions,
				     "this owner, or user, has as many regions as one may have: "
				     "unregister some, or put more into each");
	if (size > quota.bytes || bytes > quota.bytes - size)
		return limit_reached(peer, quota.bytes,
				     "the regions of one user may have half of the memory of this "
				     "machine: unregister some, or let a unit of the system do it");
	return 0;
}

static int check_limits(struct peer *peer, const struct memory_kind *kind)
{
	uint64_t max = regions_max();

	if (peer->manager->registry.tree->n_regions >= max)
		return limit_reached(
			peer, max,
			"no more regions fit: unregister some, or raise LimitNOFILE= and "
			"FileDescriptorStoreMax= of khod.service (4,096 at most)");
	if (kind->size >= REGION_SIZE_MAX)
		return limit_reached(
			peer, REGION_SIZE_MAX - 1,
			"a region has to be smaller than 1 TiB, since the kernel can't list "
			"more pages of one file: make several of it");
	return check_quota(peer, kind->size);
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

		r = handover_error(peer->link, HANDOVER_ERROR("DuplicateMemory"), name,
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
		r = handover_error(peer->link, HANDOVER_ERROR("InvalidName"), name, "%s", advice);
		return r < 0 ? r : 1;
	}
	region = handover_find(peer->manager->registry.tree, peer->owner, name);
	if (!region)
		return 0;
	if (region->check == REGION_LOST)
		r = handover_error(
			peer->link, HANDOVER_ERROR("RegionLost"), name,
			"region \"%s\" of %s was lost in the last update (%s); unregister "
			"it first, so that nobody overlooks that",
			name, peer->owner, region->reason ? region->reason : "");
	else
		r = handover_error(peer->link, HANDOVER_ERROR("RegionExists"), name,
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
	char size[FORMAT_SIZE_MAX];
	int r;

	r = region_new(peer->owner, p->name, &region);
	if (r < 0)
		return r;
	region->size = kind->size;
	region->memdesc = memdesc;
	region->page_size = kind->page_size;
	region->required = p->required != 0 && peer_may_veto(peer);
	region->claimed = true;
	r = registry_add(&m->registry, region, fd);
	if (r < 0)
		return r;
	added = TAKE_PTR(region);
	r = updater_feed(m, &(struct update_event){.kind = EVENT_REGION});
	if (r < 0) {
		registry_remove(&m->registry, added);
		return handover_update_in_progress(peer, "no region can be registered");
	}
	monitor_region(m, "registered", added);
	log_message(LOG_INFO, MESSAGE_REGION_REGISTERED,
		    &(struct log_about){.owner = peer->owner, .region = p->name},
		    "%s registers \"%s\", %s, %s", peer->owner, p->name,
		    format_size(kind->size, size), added->required ? "required" : "optional");
	return answer_when_stored(peer, added);
}

int register_method(sd_varlink *link, sd_json_variant *parameters, sd_varlink_method_flags_t flags,
		    void *userdata)
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

	if (!peer_may_call(peer, flags))
		return 0;
	r = sd_varlink_dispatch(link, parameters, table, &p);
	if (r != 0)
		return r;
	if (pending_keep(peer, register_method, parameters, flags))
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
