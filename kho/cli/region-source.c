/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/cli/ask.h"
#include "kho/cli/handover.h"
#include "kho/cli/region-source.h"

enum exit_code region_source_list(sd_json_variant **ret)
{
	_cleanup_json_ sd_json_variant *reply = NULL;
	_cleanup_kho_ struct kho *kho = NULL;
	enum exit_code code;

	if (geteuid() == 0) {
		code = ask_manager("List", NULL, &reply, NULL);
		if (code == EXIT_DONE)
			*ret = sd_json_variant_ref(json_array(reply, "regions"));
		return code;
	}
	code = handover_open(&kho);
	return code == EXIT_DONE ? handover_list(kho, ret) : code;
}
