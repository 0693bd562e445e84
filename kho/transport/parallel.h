/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_TRANSPORT_PARALLEL_H
#define KHO_TRANSPORT_PARALLEL_H

#include <stddef.h>

/* Calls fn for every index in [0, n), on as many threads as there are processors, and waits for
 * all of them. Returns 0, or what the first call that failed returned; the others run all the
 * same.
 */
int parallel_for(size_t n, int (*fn)(size_t index, void *data), void *data);

#endif
