/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KEXEC_ARCHIVE_LOAD_H
#define KEXEC_ARCHIVE_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "kho/kernel/generation.h"

/* What decides how a kernel with copies in its initrd is loaded. Sizes in bytes. */
struct archive_load {
	enum kho_generation generation; /* of the running kernel */
	bool in_place_too;		/* other regions stay where they are */
	bool locked_down;		/* only kernels that are signed */
	const char *append;		/* of --append= or --command-line=; NULL: none */
	const char *reused;		/* of --reuse-cmdline; NULL: not reused */
	bool has_initrd;
	const char *release;  /* of the next kernel; NULL: not known */
	uint64_t init_size;   /* of its image */
	uint64_t initrd_size; /* of the machine's own */
	uint64_t memory_total;
};

/*
 * Whether by kexec_load(2): where this kernel has KHO, kexec_file_load(2) has no more room than
 * scratch, and where nothing stays in place KHO is not needed.
 */
bool archive_load_by_segments(const struct archive_load *load);

/*
 * The command line to be appended instead of load->append, the caller's to free; NULL: out of
 * memory. Without an initrd it names kho-init. A kernel that sets scratch aside sizes it by what is
 * in use when it starts, the archive too, and could have no memory left to unpack that
 * (kernel/liveupdate/kexec_handover.c, scratch_size_update): it is told what it would have taken
 * without.
 */
char *archive_load_append(const struct archive_load *load);

/*
 * A running kernel's command line without the word that had kho-init run, which must not be there
 * where there is an initrd, and what kexec-tools adds: the caller's to free. NULL: out of memory,
 * or it has no such word.
 */
char *archive_load_clean(const char *cmdline);

/*
 * Whether the next kernel, without an initrd, is given a root file system that kho-init mounts: 0,
 * or -EOPNOTSUPP with *ret_message, one line to be freed by the caller (NULL: out of memory).
 */
int archive_load_check_root(const struct archive_load *load, char **ret_message);

#endif
