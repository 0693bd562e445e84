/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <xxhash.h>

#include "kho/core/cleanup.h"
#include "kho/daemon/digest.h"

#define CHUNK (256U * 1024)

static XXH3_state_t *state_free(XXH3_state_t *state)
{
	XXH3_freeState(state);
	return NULL;
}
DEFINE_CLEANUP_FUNC(XXH3_state_t *, state_free)

int digest_memory(int fd, uint64_t size, uint8_t ret[DIGEST_SIZE])
{
	_cleanup_(state_freep) XXH3_state_t *state = XXH3_createState();
	_cleanup_free_ uint8_t *chunk = malloc(CHUNK);
	XXH128_canonical_t canonical;
	uint64_t at = 0;

	if (!state || !chunk || XXH3_128bits_reset(state) == XXH_ERROR)
		return -ENOMEM;
	while (at < size) {
		size_t want = size - at < CHUNK ? size - at : CHUNK;
		/* read(2) and not mmap(2): tmpfs answers a hole with zeros and allocates nothing.
		 */
		ssize_t n = pread(fd, chunk, want, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ENODATA;
		XXH3_128bits_update(state, chunk, n);
		at += n;
	}
	XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state));
	memcpy(ret, canonical.digest, DIGEST_SIZE);
	return 0;
}
