/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KEXEC_RELOAD_H
#define KEXEC_RELOAD_H

#include "kexec/run.h"
#include "kexec/staged.h"

/* Fills run->update and run->release from what is staged, or complains. */
enum exit_code run_find_staged(struct run *run);

/* What is loaded may have lost what it was to carry since it was staged. */
enum exit_code run_check_carried(struct run *run);

/* What the update was staged with, unchanged, or complains. */
enum exit_code run_find_checked(struct run *run, struct staged *ret);

/*
 * Anybody may have loaded another kernel since, and every one that kexec_file_load loads would be
 * handed the memory: so the one that was checked is loaded again. EXIT_REFUSED: it can't be, and
 * the update stays staged; EXIT_ABORTED: it is undone. *ret, which is empty, is what was loaded, to
 * be freed by staged_done() in any case.
 */
enum exit_code run_reload(struct run *run, struct staged *ret);

#endif
