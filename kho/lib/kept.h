/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef KHO_LIB_KEPT_H
#define KHO_LIB_KEPT_H

#include "kho/lib/handle.h"

/* Remembers a region that khod has, by a duplicate of fd. memdesc may be NULL. */
int kept_add(struct kho *k, const char *name, int fd, const char *memdesc, bool required);

void kept_remove(struct kho *k, const char *name);
void kept_clear(struct kho *k);

/*
 * Compares what khod has with what it should have from us, and makes it good; what came of it goes
 * to the event queue. A negative errno only if khod could not be asked; what khod can't take now
 * stays to be rechecked.
 */
int kept_recheck(struct kho *k);

/* Whether two fds are of one memory. */
bool same_memory(int a, int b);

#endif
