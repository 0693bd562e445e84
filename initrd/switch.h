/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INITRD_SWITCH_H
#define INITRD_SWITCH_H

#include "initrd/root-spec.h"

/* Mounts what the kernel would mount as root, on path. 0, or a negative errno, having told why. */
int switch_mount(const struct root_spec *spec, const char *path);

/* Moves the mounts of this root to the one on path, and makes that the root. Errors as above. */
int switch_root(const char *path);

#endif
