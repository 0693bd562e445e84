/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CORE_PATHS_H
#define KHO_CORE_PATHS_H

#define KHO_RUNTIME_DIR "/run/kho"
#define KHO_STATE_DIR "/var/lib/kho"

/* In the runtime directory: the sockets for services (0666) and for root (0600). */
#define KHO_HANDOVER_SOCKET "io.kho.Handover"
#define KHO_MANAGER_SOCKET "io.kho.Manager"
/* Locked by the one khod that runs. */
#define KHO_LOCK_FILE "khod.lock"

/* In the state directory: the tree as it was at the point of no return, and what became of it. */
#define KHO_LEDGER_FILE "ledger.dtb"
#define KHO_REPORT_FILE "report.dtb"

/*
 * The directories themselves; tests point them elsewhere by $KHO_RUNTIME_DIR and $KHO_STATE_DIR,
 * which are not looked at in a process that has more rights than its caller. The string belongs to
 * the environment or is constant.
 */
const char *runtime_dir(void);
const char *state_dir(void);

/* Path of FILE in that directory, to be freed by the caller; NULL: out of memory. */
char *runtime_path(const char *file);
char *state_path(const char *file);

#endif
