/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KEXEC_PLAN_H
#define KEXEC_PLAN_H

#include "kexec/files.h"
#include "kexec/run.h"

/* kexec --kho -l --kho-dry-run, after the checks: shows what would be done. */
enum exit_code run_plan(struct run *run, const struct image *image);

#endif
