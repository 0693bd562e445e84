/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INITRD_DEVICE_H
#define INITRD_DEVICE_H

#include "initrd/root-spec.h"

#define DEVICE_PATH_MAX 1024

/*
 * The path of the block device that root= names, where sysfs is on /sys and devtmpfs on /dev; for a
 * number, node is made. 0; -ENODEV: it is not there, or not yet; or what failed.
 */
int device_find(const struct root_spec *spec, const char *node, char path[static DEVICE_PATH_MAX]);

/* Whether one block device's uevent, the text of that file in sysfs, is of the partition. */
bool device_uevent_has(const char *uevent, const char *key, const char *value);

#endif
