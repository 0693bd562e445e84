/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KEXEC_VERIFY_H
#define KEXEC_VERIFY_H

#include "kexec/run.h"
#include "kexec/staged.h"

/*
 * Whether memory survives the change to the kernel that is to be staged, as kho check says, before
 * anybody is bothered. EXIT_DONE; or complains with all that speaks against it, and returns what to
 * exit with. With --kho-force it complains and goes on, and run->forced is set.
 */
enum exit_code run_verify(struct run *run, struct staged *staged);

#endif
