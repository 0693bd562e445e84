/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "kho/lib/error.h"
#include "kho/lib/region.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

/* What memfd_create(2) takes, without the final NUL. */
#define MEMFD_NAME_MAX 249

/*
 * Not MFD_NOEXEC_SEAL, although nothing is to be executed here: the kernel gives the file back with
 * mode 0777 first and F_SEAL_EXEC then, and on an executable file that implies F_SEAL_WRITE
 * (mm/memfd_luo.c, mm/memfd.c): the region could be written to never again.
 */
static int open_memfd(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);

	if (fd < 0 && errno == EINVAL) /* before Linux 6.3 */
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd;
}

static int create_memfd(struct kho *k, const char *name, uint64_t size, int *ret_fd)
{
	_cleanup_close_ int fd = -EBADF;
	char memfd_name[MEMFD_NAME_MAX + 1];

	if (size > LLONG_MAX)
		return fail(k, -EFBIG, "region %s can't have %llu bytes", name,
			    (unsigned long long)size);
	snprintf(memfd_name, sizeof(memfd_name), "%s", name);
	fd = open_memfd(memfd_name);
	if (fd < 0)
		return fail(k, -errno, "can't create a memfd for region %s: %s%s", name,
			    strerrordesc_np(errno),
			    errno == EACCES ? " (vm.memfd_noexec has to be 0 or 1)" : "");
	if (fchmod(fd, 0600) < 0 || ftruncate(fd, size) < 0)
		return fail(k, -errno, "can't make region %s %llu bytes large: %s", name,
			    (unsigned long long)size, strerrordesc_np(errno));
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* A region that is too small is given back as it was. */
static int claim_of_size(struct kho *k, const char *name, uint64_t size, uint64_t flags,
			 int *ret_fd, const struct kho_region **ret_region)
{
	const struct kho_region *region;
	_cleanup_close_ int fd = -EBADF;
	int r;

	r = kho_claim(k, name, flags, &fd, &region);
	if (r < 0)
		return r;
	if (region->size < size) {
		uint64_t actual = region->size;

		r = kho_release(k, name);
		if (r < 0)
			return r;
		return fail(
			k, -EMSGSIZE,
			"region %s has %llu bytes, not %llu: claim it by kho_claim() and grow it",
			name, (unsigned long long)actual, (unsigned long long)size);
	}
	*ret_fd = TAKE_FD(fd);
	if (ret_region)
		*ret_region = region;
	return KHO_CLAIMED;
}

static int create(struct kho *k, const char *name, uint64_t size, uint64_t flags, int *ret_fd,
		  const struct kho_region **ret_region)
{
	_cleanup_close_ int fd = -EBADF;
	int r;

	r = create_memfd(k, name, size, &fd);
	if (r < 0)
		return r;
	r = register_region(k, name, fd, NULL, !(flags & KHO_OPTIONAL), ret_region);
	if (r < 0)
		return r;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int kho_claim_or_create(struct kho *k, const char *name, uint64_t size, uint64_t flags, int *ret_fd,
			const struct kho_region **ret_region)
{
	const uint64_t allowed = KHO_OPTIONAL | KHO_TAKE_DAMAGED | KHO_RECREATE_LOST;
	int created = KHO_CREATED;
	int r;

	if (!k)
		return -EINVAL;
	if (flags & ~allowed)
		return fail(k, -EINVAL, "unknown flags 0x%llx",
			    (unsigned long long)(flags & ~allowed));

	r = claim_of_size(k, name, size, flags & KHO_TAKE_DAMAGED, ret_fd, ret_region);
	if (r == -ENODATA && (flags & KHO_RECREATE_LOST)) {
		r = kho_unregister(k, name);
		if (r < 0 && r != -ENOENT)
			return r;
		created = KHO_RECREATED;
	} else if (r != -ENOENT)
		return r;

	r = create(k, name, size, flags, ret_fd, ret_region);
	if (r == -EEXIST) /* another process of this owner was faster */
		return claim_of_size(k, name, size, flags & KHO_TAKE_DAMAGED, ret_fd, ret_region);
	if (r < 0)
		return r;
	return created;
}
