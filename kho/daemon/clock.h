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

#endif
