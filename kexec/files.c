/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>

#include "kexec/files.h"
#include "kho/core/cleanup.h"
#include "kho/kernel/file.h"

int initrd_check(const char *path, char **ret_error)
{
	_cleanup_close_ int fd = -EBADF;
	uint64_t size;

	fd = open_filled_file_at(AT_FDCWD, path, &size, ret_error);
	return fd < 0 ? fd : 0;
}

int image_check(const char *path, struct image **ret, char **ret_error)
{
	_cleanup_image_ struct image *image = NULL;
	const char *reason;
	int r;

	r = image_read_header(path, &image, ret_error);
	if (r < 0)
		return r;
	r = image_check_loadable(image, &reason);
	if (r < 0) {
		if (asprintf(ret_error, "%s %s", path, reason) < 0) {
			*ret_error = NULL;
			r = -ENOMEM;
		}
		return r;
	}
	*ret = TAKE_PTR(image);
	return 0;
}
