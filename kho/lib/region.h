/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef KHO_LIB_REGION_H
#define KHO_LIB_REGION_H

#include "kho/lib/call.h"

/* Reads a Region; the strings stay json's. */
int region_decode(sd_json_variant *json, struct kho_region *ret);

/* One call each on the connection that is there, see call_now(). */
int register_once(struct kho *k, const char *name, int fd, const char *memdesc, bool required);
int unregister_once(struct kho *k, const char *name);
int claim_once(struct kho *k, const char *name, bool damaged, struct answer *ret);

/* kho_register() that also tells what khod knows about the region; ret_region may be NULL. */
int register_region(struct kho *k, const char *name, int fd, const char *memdesc, bool required,
		    const struct kho_region **ret_region);

#endif
