/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_REGION_JSON_H
#define KHO_DAEMON_REGION_JSON_H

#include <systemd/sd-json.h>

#include "kho/core/tree.h"

/* io.kho.Handover.Region and, with transport, io.kho.Manager.RegionStatus. *ret is the caller's. */
int region_to_json(const struct region *region, sd_json_variant **ret);
int region_status_to_json(const struct region *region, sd_json_variant **ret);

/* An array of RegionStatus of those regions that want() wants; NULL: all. */
int regions_to_json(const struct handover *handover, bool (*want)(const struct region *region),
		    sd_json_variant **ret);

#endif
