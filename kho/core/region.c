/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/core/region.h"

#include <inttypes.h>
#include <string.h>

#include "kho/core/opaque.h"
#include "kho/core/text.h"

static const char *const check_names[] = {
	[REGION_NEW] = "new",
	[REGION_VERIFIED] = "verified",
	[REGION_UNCHECKED] = "unchecked",
	[REGION_DAMAGED] = "damaged",
	[REGION_LOST] = "lost",
};
_Static_assert(ARRAY_SIZE(check_names) == _REGION_CHECK_MAX, "a check without a name");

int region_new(const char *owner, const char *name, struct region **ret)
{
	_cleanup_region_ struct region *region = NULL;

	if (!region_owner_is_valid(owner) || region_name_advice(name))
		return -EINVAL;
	region = calloc(1, sizeof(*region));
	if (!region)
		return -ENOMEM;
	region->owner = strdup(owner);
	region->name = strdup(name);
	if (!region->owner || !region->name)
		return -ENOMEM;
	*ret = TAKE_PTR(region);
	return 0;
}

struct region *region_free(struct region *region)
{
	if (!region)
		return NULL;
	free(region->owner);
	free(region->name);
	free(region->reason);
	free(region->transport);
	opaque_free(region->unknown);
	free(region);
	return NULL;
}

int region_set_reason(struct region *region, const char *format, ...)
{
	char *reason;
	va_list ap;

	va_start(ap, format);
	reason = text_vformat(REGION_REASON_MAX, format, ap);
	va_end(ap);
	if (!reason)
		return -ENOMEM;
	free(region->reason);
	region->reason = reason;
	return 0;
}

const char *region_name_advice(const char *name)
{
	size_t length = name ? strnlen(name, REGION_NAME_MAX + 1) : 0;

	if (length == 0)
		return "A region needs a name: give it 1 to 255 bytes.";
	if (length > REGION_NAME_MAX)
		return "The region's name is too long: give it at most 255 bytes.";
	if (!text_is_utf8(name, length))
		return "The region's name is not UTF-8: spell it in UTF-8.";
	if (!text_is_printable(name, length))
		return "The region's name has a control character in it: leave it out.";
	return NULL;
}

bool region_owner_is_valid(const char *owner)
{
	size_t length = owner ? strnlen(owner, REGION_OWNER_MAX + 1) : 0;

	return length > 0 && length <= REGION_OWNER_MAX && text_is_printable(owner, length);
}

const char *region_check_to_string(enum region_check check)
{
	return (unsigned int)check < ARRAY_SIZE(check_names) ? check_names[check] : NULL;
}

int region_check_from_string(const char *name)
{
	return text_lookup(check_names, ARRAY_SIZE(check_names), name);
}

const char *region_store_name(uint32_t id, char buf[static REGION_STORE_NAME_MAX])
{
	snprintf(buf, REGION_STORE_NAME_MAX, "r%" PRIu32, id);
	return buf;
}

int region_store_name_parse(const char *name, uint32_t *ret)
{
	char written[REGION_STORE_NAME_MAX];
	uint32_t id;

	if (sscanf(name, "r%" SCNu32, &id) != 1)
		return -EINVAL;
	/* One id has one name: no sign, blank, leading zero or overflow. */
	if (id == 0 || strcmp(region_store_name(id, written), name) != 0)
		return -EINVAL;
	*ret = id;
	return 0;
}
