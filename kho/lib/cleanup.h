/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef KHO_LIB_CLEANUP_H
#define KHO_LIB_CLEANUP_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* The library stands alone, hence its own few lines of this. */
#define _cleanup_(f) __attribute__((cleanup(f)))

#define TAKE_PTR(p)                                                                                \
	({                                                                                         \
		__typeof__(p) _taken = (p);                                                        \
		(p) = NULL;                                                                        \
		_taken;                                                                            \
	})

static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -EBADF;
	return taken;
}
#define TAKE_FD(fd) take_fd(&(fd))

static inline void free_memory(void *p)
{
	free(*(void **)p);
}
#define _cleanup_free_ _cleanup_(free_memory)

static inline void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -EBADF;
}
#define _cleanup_close_ _cleanup_(close_fd)

#endif
