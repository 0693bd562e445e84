/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <unistd.h>

#include "kho/kernel/span.h"

ptrdiff_t span_read_some(const struct span *span, uint64_t at, void *buf, size_t n)
{
	size_t done = 0;

	if (at >= span->size)
		return 0;
	if (n > span->size - at)
		n = span->size - at;
	while (done < n) {
		ssize_t r = pread(span->fd, (char *)buf + done, n - done,
				  (off_t)(span->offset + at + done));

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0)
			break;
		done += (size_t)r;
	}
	return (ptrdiff_t)done;
}

int span_read(const struct span *span, uint64_t at, void *buf, size_t n)
{
	ptrdiff_t done = span_read_some(span, at, buf, n);

	if (done < 0)
		return (int)done;
	return (size_t)done == n ? 0 : -ENODATA;
}

int span_part(const struct span *span, uint64_t at, uint64_t size, struct span *ret)
{
	if (at > span->size || size > span->size - at)
		return -ENODATA;
	*ret = (struct span){.fd = span->fd, .offset = span->offset + at, .size = size};
	return 0;
}
