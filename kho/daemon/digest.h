/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_DAEMON_DIGEST_H
#define KHO_DAEMON_DIGEST_H

#include <stdint.h>

#define DIGEST_SIZE 16

/* XXH3-128 (canonical form, as xxhsum -H2 prints it) of the size bytes of a memory fd, holes read
 * as zeros without being filled. Blocks for as long as the memory takes to read. Errors: read(2)'s;
 * -ENODATA if the memory is shorter than size.
 */
int digest_memory(int fd, uint64_t size, uint8_t ret[DIGEST_SIZE]);

#endif
