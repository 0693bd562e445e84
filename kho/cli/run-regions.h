/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLI_RUN_REGIONS_H
#define KHO_CLI_RUN_REGIONS_H

#include "kho/cli/handover.h"
#include "kho/cli/run-spec.h"

/*
 * Claims region i of spec, or makes and registers it. *ret_fd is its memory, at least as large as
 * asked for, the caller's to close. What was lost or is damaged is said aloud. Returns the exit
 * code.
 */
enum exit_code run_region_open(struct kho *kho, const struct run_spec *spec, size_t i, int *ret_fd);

#endif
