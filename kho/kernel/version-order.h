/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_VERSION_ORDER_H
#define KHO_KERNEL_VERSION_ORDER_H

/*
 * Which version is newer, as the UAPI group's Version Format Specification says
 * (uapi-group.org/specifications/specs/version_format_specification). Negative: a is older; 0: they
 * are the same to it. NULL is an empty version.
 */
int version_compare(const char *a, const char *b);

#endif
