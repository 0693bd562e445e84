/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KEXEC_CARRY_H
#define KEXEC_CARRY_H

#include "kexec/run.h"
#include "kexec/staged.h"
#include "kho/kernel/image.h"

/*
 * Where this kernel was started by kho-init and its command line is to be used again: without the
 * word for that, in the record. 0, -ENOMEM, or what reading it gave.
 */
int carry_clean_cmdline(struct staged *staged);

/*
 * Finds out whether copies can go in the next kernel's initrd, for run->may_archive, and adds to
 * the record how it is loaded then. If not, and the user asked for just that, says why and returns
 * what to exit with. Else EXIT_DONE.
 */
enum exit_code run_check_archive(struct run *run, struct staged *staged, const struct image *image);

/*
 * When services are frozen: loads the kernel anew with that archive in its initrd, and closes it.
 * Negative: there is none, and nothing to do. Whatever fails undoes the update.
 */
enum exit_code run_load_archive(struct run *run, const struct staged *staged, int archive);

#endif
