/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_TRANSPORT_SPOOL_DIRECTORY_H
#define KHO_TRANSPORT_SPOOL_DIRECTORY_H

#include <stddef.h>

/* In front of the update's id. */
#define SPOOL_PREFIX "kho-"

/* Opens the spool, and makes it if only that is missing. Returns an fd. */
int spool_hold(const char *where);

/* Makes the directory of an update, and the spool itself if only that is missing. Returns an fd. */
int spool_directory_make(const char *where, const char *update_id);

/* Opens it. -ENOENT; -EPERM: somebody else has made it, or others may write to it. */
int spool_directory_open(const char *where, const char *update_id);

/* Writes a file as a whole or not at all, synced. */
int spool_directory_write(int dir, const char *name, const void *data, size_t size);

/* Syncs the names in it. */
int spool_directory_sync(const char *where);

/* Removes the directory of an update with all that is in it. 0 also if there is none. */
int spool_discard(const char *where, const char *update_id);

#endif
