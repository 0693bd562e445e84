/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLI_ROOM_H
#define KHO_CLI_ROOM_H

#include <stdint.h>

/*
 * Whether bytes more fit into memory and into the limits of the caller's cgroups, after the have
 * bytes that were written already (for the message). Returns 0, or says what does not suffice and
 * returns -ENOSPC. What can't be found out stops nothing.
 */
int room_check(uint64_t have, uint64_t bytes);

/* What memory.stat (its text) says could be dropped for something else, in bytes. */
uint64_t room_reclaimable(const char *memory_stat);

#endif
