/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef KHO_LIB_LIST_H
#define KHO_LIB_LIST_H

#include "kho/lib/handle.h"

/* Frees what the last kho_list() gave out. */
void list_clear(struct kho *k);

#endif
