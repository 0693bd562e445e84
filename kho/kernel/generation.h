/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_GENERATION_H
#define KHO_KERNEL_GENERATION_H

#include <stdbool.h>
#include <stdint.h>

/* Which kexec handover the running kernel has. */
enum kho_generation {
	KHO_NONE,	 /* not built in */
	KHO_OFF,	 /* built in, and switched off */
	KHO_OUT_OF_TREE, /* /sys/kernel/kho, the series of 2023 to 2025 */
	KHO_FINALIZE,	 /* 6.16 to 6.18: debugfs, out/finalize; kernel users only */
	KHO_STATELESS,	 /* 6.19 to 7.3: nothing to write; LUO */
	KHO_BOOTMEM,	 /* 7.4: the same, scratch is called bootmem */
	KHO_UNKNOWN,	 /* nothing to tell it by: debugfs is not there or not readable */
	_KHO_GENERATION_MAX,
};

struct kernel_info {
	char release[65]; /* uname -r */
	char boot_id[37];
	enum kho_generation generation;
	const char *debugfs_problem; /* where debugfs shows nothing, the reason; constant */
	/* Whether /dev/liveupdate is there and this boot can use it; if not, luo_reason says what
	 * is missing and the way out. */
	bool luo;
	bool luo_unseen; /* it is there, and whether it can be used only root finds out */
	char *luo_reason;
	bool kexec_loaded;
	/* How often kexec with KHO has been done since the cold boot, and from which kernel this
	 * one was booted (7.x, debugfs); has_metadata is false if the kernel does not say. */
	bool has_metadata;
	uint32_t kexec_count;
	char previous_release[65];
	/* CLOCK_REALTIME, microseconds, when this kernel's clock started. */
	uint64_t start_usec;
};

/* Never NULL; the name that kho(8) documents: none, off, out-of-tree, finalize … */
const char *kho_generation_name(enum kho_generation generation);

/* One line: what can be handed over with it, and the way to more. Never NULL. */
const char *kho_generation_advice(enum kho_generation generation);

/*
 * Looks at the running kernel; opens /dev/liveupdate for a moment, which makes the kernel read what
 * the previous one handed over and may block: call it once, at start. Errors: -ENOMEM, or what
 * reading /proc and /sys gave. Free with kernel_info_done().
 */
int kernel_probe(struct kernel_info *ret);

/* The same below the directory root_fd instead of /; for tests. */
int kernel_probe_at(int root_fd, struct kernel_info *ret);

/* Which generation it is, alone: opens no device. */
enum kho_generation kernel_generation_at(int root_fd);

/* Whether debugfs is mounted and this process may look into it. */
bool kernel_debugfs_is_readable(int root_fd);

/* Why it is not, and the way out; NULL: it is. Constant. */
const char *kernel_debugfs_problem(int root_fd);

void kernel_info_done(struct kernel_info *info);

/* Whether an image is loaded for kexec: 1, 0, or a negative error. Cheap. */
int kernel_kexec_loaded(void);

#endif
