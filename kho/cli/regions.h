/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLI_REGIONS_H
#define KHO_CLI_REGIONS_H

#include <stdbool.h>
#include <systemd/sd-json.h>

/* Regions as khod describes them: arrays of Region or RegionStatus of its interfaces. */

/* Whether names (NULL-terminated; empty: any) has the region's name, or its OWNER/NAME. */
bool region_is_named(sd_json_variant *region, char *const *names);

/* Whether an update lost it or brought it damaged. */
bool region_is_lost(sd_json_variant *region);

/* Keeps those that are named. Returns 0 or a negative errno; *ret is the caller's to unref. */
int regions_filter(sd_json_variant *regions, char *const *names, sd_json_variant **ret);

/* The first of names that no region has; NULL: all are there. */
const char *regions_missing(sd_json_variant *regions, char *const *names);

/* What became of a region in words: "restored, digest verified", "LOST: …". Caller frees; or NULL.
 */
char *region_fate(sd_json_variant *region);

/* Prints the table and a total, to stdout. Returns 0 or -ENOMEM. */
int regions_print(sd_json_variant *regions);

#endif
