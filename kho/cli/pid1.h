/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLI_PID1_H
#define KHO_CLI_PID1_H

#include <stdint.h>
#include <systemd/sd-json.h>

/*
 * What PID 1 has to say of the kexec that led to this boot, from its properties KExecCount and
 * PreviousShutdown*Timestamp (systemd 261 and newer): they came along with its own state, in an
 * orderly shutdown alone. Times are microseconds of CLOCK_REALTIME, 0 if not known.
 */
struct pid1 {
	uint64_t kexec_count;
	uint64_t shutdown_start;  /* the first job of the shutdown */
	uint64_t shutdown_finish; /* all units have stopped */
	uint64_t late_start;	  /* systemd-shutdown begins */
	uint64_t late_finish;	  /* just before the kexec */
};

/* 0; -ENODATA where PID 1 is not systemd or does not know; another error of the bus. */
int pid1_ask(struct pid1 *ret);

/* The same as the object "systemd" of a report. 0 or a negative error. */
int pid1_add_json(const struct pid1 *pid1, sd_json_variant **report);

/*
 * The line of a report: how often, and how long going down took. counted: kexecs as khod has them,
 * of the kernel's own count; 0: not known. NULL: out of memory.
 */
char *pid1_line(const struct pid1 *pid1, uint64_t counted);

#endif
