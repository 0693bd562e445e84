/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KEXEC_FINALIZE_H
#define KEXEC_FINALIZE_H

#include "kexec/run.h"

/*
 * On kernels that hand over only what was finalized before the next one was loaded (6.16 to 6.18);
 * on others each of them does nothing. Dropping an update leaves a kernel finalized: to undo that
 * would destroy what is to be handed over.
 */

/* Before anybody is bothered. EXIT_DONE, or complains and returns what to exit with. */
enum exit_code run_can_finalize(struct run *run);

/* Before the next kernel is loaded. 0, or a negative errno with *ret_message, the caller's. */
int run_finalize(char **ret_message);

/* Whether the kernel that is loaded now carries it. Returns as above. */
int run_check_finalized(char **ret_message);

/* One line to stdout, after what was staged: what kernel code hands over. */
void show_kernel_users(void);

#endif
