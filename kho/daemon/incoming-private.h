/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_INCOMING_PRIVATE_H
#define KHO_DAEMON_INCOMING_PRIVATE_H

#include "kho/daemon/incoming.h"
#include "kho/transport/message.h"

/*
 * Takes what came by copy, whatever this kernel can do; what did not come is said in the items.
 * -EAGAIN, with the reason in in->message: too many files are open, and it can be called again.
 */
int incoming_take_copies(struct incoming *in);

#endif
