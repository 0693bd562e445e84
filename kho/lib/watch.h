/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef KHO_LIB_WATCH_H
#define KHO_LIB_WATCH_H

#include "kho/lib/handle.h"

/* Opens what kho_get_fd() gives. */
int watch_init(struct kho *k);
void watch_done(struct kho *k);

/* Whether there was a connection to khod for Watch, and khod has closed it. */
bool watch_is_broken(struct kho *k);

/* Appends an event for kho_process() to return. */
int watch_tell(struct kho *k, const struct kho_event *event);

#endif
