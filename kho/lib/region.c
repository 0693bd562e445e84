/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stddef.h>
#include <string.h>

#include "kho/lib/error.h"
#include "kho/lib/kept.h"
#include "kho/lib/region.h"

static int decode_check(const char *name, sd_json_variant *json, sd_json_dispatch_flags_t flags,
			void *userdata)
{
	static const char *const names[] = {
		[KHO_CHECK_NEW] = "new",
		[KHO_CHECK_VERIFIED] = "verified",
		[KHO_CHECK_UNCHECKED] = "unchecked",
		[KHO_CHECK_DAMAGED] = "damaged",
		[KHO_CHECK_LOST] = "lost",
	};
	enum kho_check *check = userdata;

	if (!sd_json_variant_is_string(json))
		return -EPROTO;
	*check = KHO_CHECK_UNKNOWN;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], sd_json_variant_string(json)) == 0)
			*check = i;
	return 0;
}

int region_decode(sd_json_variant *json, struct kho_region *ret)
{
#define FIELD(name, type, dispatch, flags)                                                         \
	{                                                                                          \
		#name, type, dispatch, offsetof(struct kho_region, name), flags                    \
	}
	static const sd_json_dispatch_field table[] = {
		FIELD(name, SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		      SD_JSON_MANDATORY),
		FIELD(owner, SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		      SD_JSON_MANDATORY),
		FIELD(size, _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64,
		      SD_JSON_MANDATORY),
		FIELD(memdesc, SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		      SD_JSON_MANDATORY),
		FIELD(required, SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool, 0),
		FIELD(claimed, SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_stdbool, 0),
		FIELD(check, SD_JSON_VARIANT_STRING, decode_check, SD_JSON_MANDATORY),
		FIELD(reason, SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		      SD_JSON_NULLABLE),
		{}};
#undef FIELD
	*ret = (struct kho_region){};
	return sd_json_dispatch(json, table, SD_JSON_ALLOW_EXTENSIONS, ret) < 0 ? -EPROTO : 0;
}

static int name_parameters(struct kho *k, const char *name, bool damaged, sd_json_variant **ret)
{
	int r = sd_json_buildo(
		ret, SD_JSON_BUILD_PAIR_STRING("name", name),
		SD_JSON_BUILD_PAIR_CONDITION(damaged, "damaged", SD_JSON_BUILD_BOOLEAN(true)));

	return r < 0 ? fail(k, r, "can't ask for region %s: %s", name, kho_strerror(r)) : 0;
}

static int register_parameters(struct kho *k, const char *name, const char *memdesc, bool required,
			       sd_json_variant **ret)
{
	int r = sd_json_buildo(
		ret, SD_JSON_BUILD_PAIR_STRING("name", name),
		SD_JSON_BUILD_PAIR_UNSIGNED("memoryFileDescriptor", 0),
		SD_JSON_BUILD_PAIR_CONDITION(!!memdesc, "memdesc", SD_JSON_BUILD_STRING(memdesc)),
		SD_JSON_BUILD_PAIR_BOOLEAN("required", required));

	return r < 0 ? fail(k, r, "can't ask for region %s: %s", name, kho_strerror(r)) : 0;
}

int register_once(struct kho *k, const char *name, int fd, const char *memdesc, bool required)
{
	_cleanup_(answer_done) struct answer answer = ANSWER_NONE;
	_cleanup_json_ sd_json_variant *parameters = NULL;
	int r = register_parameters(k, name, memdesc, required, &parameters);

	if (r < 0)
		return r;
	return call_now(k,
			&(struct call){.method = "io.kho.Handover.Register",
				       .parameters = parameters,
				       .with_fd = true,
				       .fd = fd},
			&answer);
}

int unregister_once(struct kho *k, const char *name)
{
	_cleanup_(answer_done) struct answer answer = ANSWER_NONE;
	_cleanup_json_ sd_json_variant *parameters = NULL;
	int r = name_parameters(k, name, false, &parameters);

	if (r < 0)
		return r;
	return call_now(
		k, &(struct call){.method = "io.kho.Handover.Unregister", .parameters = parameters},
		&answer);
}

/* Sees to it that a claim has brought its fd. */
static int claimed_fd(struct kho *k, int r, const struct answer *answer)
{
	if (r >= 0 && answer->fd < 0)
		return fail(k, -EPROTO, "khod's reply to Claim brought no fd");
	return r;
}

int claim_once(struct kho *k, const char *name, bool damaged, struct answer *ret)
{
	_cleanup_json_ sd_json_variant *parameters = NULL;
	int r = name_parameters(k, name, damaged, &parameters);

	if (r < 0)
		return r;
	r = call_now(k, &(struct call){.method = "io.kho.Handover.Claim", .parameters = parameters},
		     ret);
	return claimed_fd(k, r, ret);
}

/* Hands out what khod says about a region in a reply to Claim or Register. */
static int take_region(struct kho *k, struct answer *answer, const struct kho_region **ret)
{
	struct kho_region region;
	int r = region_decode(sd_json_variant_by_key(answer->parameters, "region"), &region);

	if (r < 0)
		return fail(k, r, "khod's reply about a region is not understood");
	json_unref(&k->claimed.json);
	k->claimed.json = TAKE_PTR(answer->parameters);
	k->claimed.region = region;
	if (ret)
		*ret = &k->claimed.region;
	return 0;
}

/*
 * A call was heard although the connection broke before the reply: then khod calls the name taken,
 * or the memory a duplicate, by ourselves.
 */
static bool is_registered(struct kho *k, const char *name, int fd, struct answer *answer)
{
	return call_connect(k) >= 0 && claim_once(k, name, false, answer) >= 0 &&
	       same_memory(fd, answer->fd);
}

int register_region(struct kho *k, const char *name, int fd, const char *memdesc, bool required,
		    const struct kho_region **ret_region)
{
	_cleanup_(answer_done) struct answer answer = ANSWER_NONE;
	_cleanup_json_ sd_json_variant *parameters = NULL;
	int r = register_parameters(k, name, memdesc, required, &parameters);

	if (r < 0)
		return r;
	r = call_khod(k,
		      &(struct call){.method = "io.kho.Handover.Register",
				     .parameters = parameters,
				     .with_fd = true,
				     .fd = fd,
				     .patient = true},
		      &answer);
	if (answer.again && (r == -EEXIST || r == -EALREADY) && is_registered(k, name, fd, &answer))
		r = 0;
	if (r < 0)
		return r;
	r = kept_add(k, name, fd, memdesc, required);
	if (r < 0)
		return r;
	return take_region(k, &answer, ret_region);
}

/* The arguments that several calls share. */
static int check_arguments(struct kho *k, const char *name, uint64_t flags, uint64_t allowed)
{
	if (!k)
		return -EINVAL;
	if (!name)
		return fail(k, -EINVAL, "the region's name is NULL");
	if (flags & ~allowed)
		return fail(k, -EINVAL, "unknown flags 0x%llx",
			    (unsigned long long)(flags & ~allowed));
	return 0;
}

int kho_register(struct kho *k, const char *name, int fd, const char *memdesc, uint64_t flags)
{
	int r = check_arguments(k, name, flags, KHO_OPTIONAL);

	if (r < 0)
		return r;
	return register_region(k, name, fd, memdesc, !(flags & KHO_OPTIONAL), NULL);
}

/* A call about a region that has no other argument than its name. */
static int call_named(struct kho *k, const char *method, const char *name)
{
	_cleanup_(answer_done) struct answer answer = ANSWER_NONE;
	_cleanup_json_ sd_json_variant *parameters = NULL;
	int r = check_arguments(k, name, 0, 0);

	if (r >= 0)
		r = name_parameters(k, name, false, &parameters);
	if (r < 0)
		return r;
	r = call_khod(k,
		      &(struct call){.method = method, .parameters = parameters, .patient = true},
		      &answer);
	if (r >= 0 || r == -ENOENT)
		kept_remove(k, name);
	return r == -ENOENT && answer.again ? 0 : r;
}

int kho_unregister(struct kho *k, const char *name)
{
	return call_named(k, "io.kho.Handover.Unregister", name);
}

int kho_release(struct kho *k, const char *name)
{
	return call_named(k, "io.kho.Handover.Release", name);
}

int kho_claim(struct kho *k, const char *name, uint64_t flags, int *ret_fd,
	      const struct kho_region **ret_region)
{
	_cleanup_(answer_done) struct answer answer = ANSWER_NONE;
	_cleanup_json_ sd_json_variant *parameters = NULL;
	const struct kho_region *region;
	int r = check_arguments(k, name, flags, KHO_TAKE_DAMAGED);

	if (r >= 0)
		r = name_parameters(k, name, flags & KHO_TAKE_DAMAGED, &parameters);
	if (r < 0)
		return r;
	r = call_khod(k,
		      &(struct call){.method = "io.kho.Handover.Claim",
				     .parameters = parameters,
				     .patient = true},
		      &answer);
	r = claimed_fd(k, r, &answer);
	if (r < 0)
		return r;
	r = take_region(k, &answer, &region);
	if (r >= 0)
		r = kept_add(k, name, answer.fd, NULL, region->required);
	if (r < 0)
		return r;
	*ret_fd = TAKE_FD(answer.fd);
	if (ret_region)
		*ret_region = region;
	return 0;
}
