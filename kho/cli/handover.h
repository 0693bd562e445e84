/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLI_HANDOVER_H
#define KHO_CLI_HANDOVER_H

#include "kho/cli/json.h"
#include "kho/client/exit-codes.h"
#include "kho/lib/kho.h"

DEFINE_CLEANUP_FUNC(struct kho *, kho_close)
#define _cleanup_kho_ _cleanup_(kho_closep)

/* Connects as a service does. Says why it can't, and returns the exit code. */
enum exit_code handover_open(struct kho **ret);

/* Says why the last call, which returned error, failed, and returns the exit code for it. */
enum exit_code handover_failed(struct kho *kho, int error);

/* A region as Region of io.kho.Handover. Returns 0 or a negative errno. */
int handover_region_json(const struct kho_region *region, sd_json_variant **ret);

/* The caller's own regions, as an array of those. Says why it can't, and returns the exit code. */
enum exit_code handover_list(struct kho *kho, sd_json_variant **ret);

#endif
