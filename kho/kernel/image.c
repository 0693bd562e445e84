/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

#include "kho/kernel/file.h"
#include "kho/kernel/image.h"
#include "kho/kernel/image-config.h"
#include "kho/kernel/image-header.h"
#include "kho/kernel/image-kernel.h"

struct image *image_free(struct image *image)
{
	if (!image)
		return NULL;
	free(image->path);
	free(image->release);
	free(image->problem);
	abi_done(&image->abi);
	abi_layouts_done(&image->layouts);
	free(image->build_ids);
	free(image->config);
	free(image->config_source);
	free(image);
	return NULL;
}

static int fail(char **ret_message, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(char **ret_message, int error, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (vasprintf(ret_message, format, ap) < 0) {
		*ret_message = NULL;
		error = -ENOMEM;
	}
	va_end(ap);
	return error;
}

static int new_image(int root_fd, const char *path, uint64_t size, struct image **ret)
{
	_cleanup_image_ struct image *image = calloc(1, sizeof(*image));

	if (!image || abi_init(&image->abi) < 0)
		return -ENOMEM;
	image->size = size;
	if (root_fd == AT_FDCWD)
		image->path = realpath(path, NULL);
	else if (asprintf(&image->path, "/%s", path) < 0)
		image->path = NULL;
	if (!image->path)
		return -errno;
	*ret = TAKE_PTR(image);
	return 0;
}

static int read_image(int root_fd, const char *path, bool whole, struct image **ret,
		      char **ret_message)
{
	_cleanup_image_ struct image *image = NULL;
	_cleanup_close_ int fd = -EBADF;
	const char *reason = NULL;
	struct span span = {};
	int r;

	*ret_message = NULL;
	fd = open_filled_file_at(root_fd, path, &span.size, ret_message);
	if (fd < 0)
		return fd;
	span.fd = fd;
	r = new_image(root_fd, path, span.size, &image);
	if (r == 0)
		r = image_header_read(&span, image, &reason);
	if (r >= 0)
		r = image_note_compression(&span, image);
	if (r >= 0 && whole)
		r = image_read_kernel(&span, image);
	if (r >= 0 && whole)
		r = image_find_config(root_fd, image);
	if (r == -ENOEXEC && reason)
		return fail(ret_message, r, "%s %s", path, reason);
	if (r < 0)
		return fail(ret_message, r, "%s: %s", path, strerror(-r));
	*ret = TAKE_PTR(image);
	return 0;
}

int image_read(const char *path, struct image **ret, char **ret_message)
{
	return read_image(AT_FDCWD, path, true, ret, ret_message);
}

int image_read_at(int root_fd, const char *path, struct image **ret, char **ret_message)
{
	return read_image(root_fd, path, true, ret, ret_message);
}

int image_read_header(const char *path, struct image **ret, char **ret_message)
{
	return read_image(AT_FDCWD, path, false, ret, ret_message);
}

int image_read_header_at(int root_fd, const char *path, struct image **ret, char **ret_message)
{
	return read_image(root_fd, path, false, ret, ret_message);
}

int image_check_loadable(const struct image *image, const char **ret_reason)
{
#if defined(__x86_64__)
	const enum image_arch here = IMAGE_X86_64;
#elif defined(__aarch64__)
	const enum image_arch here = IMAGE_AARCH64;
#else
	const enum image_arch here = IMAGE_ARCH_UNKNOWN;
#endif

	if (image->arch == IMAGE_AARCH64 && here != IMAGE_AARCH64)
		*ret_reason = "is a kernel for arm64, not for this machine";
	else if (image->arch == IMAGE_X86_64 && here != IMAGE_X86_64)
		*ret_reason = "is a kernel for x86, not for this machine";
	else if (image->arch == IMAGE_ARCH_UNKNOWN && here != IMAGE_ARCH_UNKNOWN)
		*ret_reason = "is a kernel for another kind of machine";
	else if (image->unfit)
		*ret_reason = image->unfit;
	else
		return 0;
	return -ENOEXEC;
}

bool image_has_build_id(const struct image *image, const void *id, unsigned int size)
{
	for (unsigned int i = 0; i < image->n_build_ids; i++)
		if (image->build_ids[i].size == size &&
		    memcmp(image->build_ids[i].bytes, id, size) == 0)
			return true;
	return false;
}

const char *image_kind_name(enum image_kind kind)
{
	static const char *const names[_IMAGE_KIND_MAX] = {
		[IMAGE_BZIMAGE] = "bzImage",	      [IMAGE_VMLINUX] = "vmlinux",
		[IMAGE_ARM64] = "arm64 Image",	      [IMAGE_ZBOOT] = "EFI zboot",
		[IMAGE_UKI] = "unified kernel image",
	};

	return names[kind];
}

const char *image_arch_name(enum image_arch arch)
{
	static const char *const names[_IMAGE_ARCH_MAX] = {
		[IMAGE_ARCH_UNKNOWN] = "unknown",
		[IMAGE_X86_32] = "i386",
		[IMAGE_X86_64] = "x86_64",
		[IMAGE_AARCH64] = "aarch64",
	};

	return names[arch];
}
