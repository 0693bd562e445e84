/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLI_CHECK_VIEW_H
#define KHO_CLI_CHECK_VIEW_H

#include "kho/kernel/check.h"

/* One screen on one image. Returns 0 or -ENOMEM. */
int check_view_print(const struct check *check, const struct checked *checked);

/* A line an image. Returns 0 or -ENOMEM. */
int check_view_print_table(const struct checked *checked, size_t n);

#endif
