/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_TRANSPORT_INITRD_PRIVATE_H
#define KHO_TRANSPORT_INITRD_PRIVATE_H

#include <stdbool.h>

#include "kho/transport/carrier.h"
#include "kho/transport/initrd-archive.h"

struct carrier_load {
	int memory; /* that is being written; -EBADF: taken, or it is one that arrived */
	struct initrd_archive archive;
	bool sealed;
	bool broken;   /* the archive ends where nobody could read on */
	int directory; /* that it arrived in */
};

struct carrier_load *initrd_load_new(void);
struct carrier_load *initrd_close(struct carrier_load *load);
DEFINE_CLEANUP_FUNC(struct carrier_load *, initrd_close)

/* initrd-arrival.c */

int initrd_open(const char *where, const char *update_id, struct carrier_load **ret,
		char **ret_message);
int initrd_get(struct carrier_load *load, struct carrier_item *item, struct copy_progress *progress,
	       char **ret_message);
int initrd_drop(const char *where, const char *update_id, uint32_t id);
int initrd_discard(const char *where, const char *update_id);

#endif
