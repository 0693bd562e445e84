/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_TRANSPORT_KERNEL_H
#define KHO_TRANSPORT_KERNEL_H

#include "kho/transport/transport.h"

/*
 * 6.16 to 6.18 hand over what kernel code has registered, and nothing of userspace: an update
 * happens without any region, and one that is required stops it. Nothing arrives by it, so there
 * are no calls for the next kernel. The tree does not cross either; the ledger does.
 */
extern const struct transport transport_kernel;

/* The same where a carrier takes every region, from any kernel to any: nothing is refused. */
extern const struct transport transport_copy;

#endif
