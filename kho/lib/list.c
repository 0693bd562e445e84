/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kho/lib/error.h"
#include "kho/lib/list.h"
#include "kho/lib/region.h"

void list_clear(struct kho *k)
{
	free(k->list);
	k->list = NULL;
	free(k->list_index);
	k->list_index = NULL;
	json_unref(&k->list_json);
}

static int list_decode(struct kho *k, sd_json_variant *regions)
{
	size_t n = sd_json_variant_elements(regions);

	k->list = calloc(n + 1, sizeof(*k->list));
	k->list_index = calloc(n + 1, sizeof(*k->list_index));
	if (!k->list || !k->list_index)
		return fail(k, -ENOMEM, "%s", kho_strerror(ENOMEM));
	for (size_t i = 0; i < n; i++) {
		int r = region_decode(sd_json_variant_by_index(regions, i), &k->list[i]);

		if (r < 0)
			return fail(k, r, "khod's reply to List is not understood");
		k->list_index[i] = &k->list[i];
	}
	return n;
}

int kho_list(struct kho *k, const struct kho_region *const **ret_regions)
{
	_cleanup_(answer_done) struct answer answer = ANSWER_NONE;
	sd_json_variant *regions;
	int r;

	if (!k || !ret_regions)
		return -EINVAL;
	r = call_khod(k, &(struct call){.method = "io.kho.Handover.List", .patient = true},
		      &answer);
	if (r < 0)
		return r;
	regions = sd_json_variant_by_key(answer.parameters, "regions");
	if (regions && !sd_json_variant_is_array(regions))
		return fail(k, -EPROTO, "khod's reply to List is not understood");

	list_clear(k);
	k->list_json = TAKE_PTR(answer.parameters);
	r = list_decode(k, regions);
	if (r < 0) {
		list_clear(k);
		return r;
	}
	*ret_regions = k->list_index;
	return r;
}
