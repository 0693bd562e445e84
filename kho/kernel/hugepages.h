/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_HUGEPAGES_H
#define KHO_KERNEL_HUGEPAGES_H

#include <stdint.h>

/*
 * Sees to it that size bytes of huge pages of page_size bytes are free, and asks the kernel for
 * what is missing (/sys/kernel/mm/hugepages). Errors: -EOPNOTSUPP no such pages on this machine;
 * -ENOMEM the kernel found too few; what reading and writing there gives.
 */
int hugepages_provide(uint64_t page_size, uint64_t size);

/* The same below the directory root_fd instead of /; for tests. */
int hugepages_provide_at(int root_fd, uint64_t page_size, uint64_t size);

#endif
