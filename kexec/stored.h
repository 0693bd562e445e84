/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KEXEC_STORED_H
#define KEXEC_STORED_H

#include <systemd/sd-json.h>

#include "kexec/run.h"

/*
 * Says what of the memory that units keep with PID 1 gets lost even in an orderly shutdown, and
 * what only kexec --kho -e would lose. *ret: the first, for Staged; the caller's. 0 or -ENOMEM.
 */
int stored_warn(struct run *run, sd_json_variant **ret);

/*
 * Refuses to execute where units keep memory with PID 1, which only an orderly shutdown hands over;
 * if forced, says so and goes on. *ret: what gets lost, for Freeze; the caller's. NULL: only
 * looks whether it would refuse.
 */
enum exit_code stored_refuse(struct run *run, sd_json_variant **ret);

#endif
