/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_CLOCK_H
#define KHO_DAEMON_CLOCK_H

#include <stdint.h>
#include <time.h>

#define USEC_PER_SEC UINT64_C(1000000)

/* Microseconds since 1970. */
static inline uint64_t realtime_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * USEC_PER_SEC + now.tv_nsec / 1000;
}

/* A timeout that somebody asks for, as one that a timer takes: beyond a century it makes no
 * difference. */
static inline uint64_t timeout_cap(uint64_t usec)
{
	const uint64_t century = UINT64_C(100) * 366 * 24 * 3600 * USEC_PER_SEC;

	return usec < century ? usec : century;
}

#endif
