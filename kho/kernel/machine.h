/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_MACHINE_H
#define KHO_KERNEL_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kho/kernel/generation.h"
#include "kho/kernel/placement.h"
#include "kho/kernel/sessions.h"

/* What of this machine decides which kernel it can hand over to. Sizes in bytes. */
struct machine {
	struct kernel_info kernel;
	uint64_t page_size;
	uint64_t memory_total;	   /* MemTotal */
	uint64_t memory_available; /* what can be allocated for good */
	char *cmdline;		   /* /proc/cmdline without blanks and newline at its end */

	/* The scratch areas; without them scratch_problem says why they can't be seen. */
	struct placement_area *areas;
	size_t n_areas;
	char *scratch_problem;

	bool loading_disabled; /* kernel.kexec_load_disabled, until the next boot */
	bool locked_down;      /* so that only signed kernels are loaded */
	uint64_t ima_size;     /* of IMA's measurement list */
	uint64_t efi_map_size; /* 0: no EFI */

	struct luo_sessions sessions; /* others' */
	bool sessions_seen;	      /* false: the caller is not root, and sees its own alone */
};

/*
 * Looks at it all, as kernel_probe() does. What is not there counts as nothing. Errors: -ENOMEM,
 * or what reading /proc gave. To be freed by machine_done(), after an error too.
 */
int machine_read(struct machine *ret);

/* The same below the directory root_fd; for tests. */
int machine_read_at(int root_fd, struct machine *ret);

void machine_done(struct machine *machine);

#endif
