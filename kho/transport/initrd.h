/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_TRANSPORT_INITRD_H
#define KHO_TRANSPORT_INITRD_H

#include "kho/transport/carrier.h"

/*
 * Copies that are part of the next kernel's initrd: a cpio archive in a memfd, which kexec puts
 * ahead of the initrd and has loaded. In the next kernel khod finds the files in the runtime
 * directory, where what runs in the initrd has brought them; where means nothing.
 */
extern const struct carrier carrier_initrd;

/*
 * The archive of a load that is sealed: the memfd, the caller's to close, at most once; nothing
 * else has it open. -EBUSY: it is not sealed; -ENODATA: it was taken, or the load is one that
 * arrived.
 */
int initrd_take_archive(struct carrier_load *load);

/* Bytes that an archive of so many regions with so many bytes takes at most. */
uint64_t initrd_archive_size_max(size_t n_regions, uint64_t bytes);

/*
 * What the change takes of memory beyond the regions themselves, in bytes: the archive with what is
 * put behind it, its copy while kexec reads it, and the copy that kexec keeps.
 */
uint64_t initrd_memory_needed(uint64_t archive_size, uint64_t initrd_size);

#endif
