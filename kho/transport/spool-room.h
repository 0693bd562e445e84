/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_TRANSPORT_SPOOL_ROOM_H
#define KHO_TRANSPORT_SPOOL_ROOM_H

#include <stddef.h>
#include <stdint.h>

/* carrier_spool's room(). */
int spool_room(const char *where, size_t n_regions, uint64_t bytes, uint64_t *ret_usec,
	       char **ret_message);

#endif
