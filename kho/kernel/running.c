/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <string.h>
#include <sys/utsname.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/file.h"
#include "kho/kernel/image-scan.h"
#include "kho/kernel/running.h"
#include "kho/kernel/witness.h"

#define NOTES_MAX (1u << 20)

DEFINE_CLEANUP_FUNC(struct image_scan *, image_scan_free)

struct running_kernel *running_kernel_free(struct running_kernel *kernel)
{
	if (!kernel)
		return NULL;
	image_free(kernel->image);
	abi_done(&kernel->abi);
	abi_layouts_done(&kernel->layouts);
	free(kernel->problem);
	free(kernel);
	return NULL;
}

/* The first problem is the one that is told. */
static int add_problem(struct running_kernel *kernel, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int add_problem(struct running_kernel *kernel, const char *format, ...)
{
	va_list ap;
	int r = 0;

	if (kernel->problem)
		return 0;
	va_start(ap, format);
	r = vasprintf(&kernel->problem, format, ap);
	va_end(ap);
	if (r >= 0)
		return 0;
	kernel->problem = NULL;
	return -ENOMEM;
}

/* Takes the image if it is the running kernel's: 1; 0 it is not. */
static int try_image(int root_fd, const char *path, const struct image_build_id *id,
		     struct running_kernel *kernel)
{
	_cleanup_image_ struct image *image = NULL;
	_cleanup_free_ char *message = NULL;
	int r = image_read_header_at(root_fd, path, &image, &message);

	/* What says that it is another need not be unpacked. */
	if (r == 0 && image->release && strcmp(image->release, kernel->release) != 0)
		return 0;
	image = image_free(image);
	if (r == 0)
		r = image_read_at(root_fd, path, &image, &message);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	if (image->problem)
		return add_problem(kernel, "%s: %s", path, image->problem);
	if (!image_has_build_id(image, id->bytes, id->size))
		return 0;
	kernel->image = TAKE_PTR(image);
	return 1;
}

static int try_directory(int root_fd, const char *path, const char *pattern,
			 const struct image_build_id *id, struct running_kernel *kernel)
{
	int fd = openat(root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	int r = 0;

	if (!directory) {
		safe_close(fd);
		return 0;
	}
	while (r == 0) {
		const struct dirent *entry = readdir(directory);
		_cleanup_free_ char *image = NULL;

		if (!entry)
			break;
		if (fnmatch(pattern, entry->d_name, FNM_PERIOD) != 0)
			continue;
		if (asprintf(&image, "%s/%s", path, entry->d_name) < 0) {
			image = NULL;
			r = -ENOMEM;
			break;
		}
		r = try_image(root_fd, image, id, kernel);
	}
	closedir(directory);
	return r;
}

/* Where its name says that it is this one, then everywhere: 1; 0 it was not found. */
static int find_image(int root_fd, const struct image_build_id *id, struct running_kernel *kernel)
{
	static const struct {
		const char *before, *after;
	} by_release[] = {
		{"boot/vmlinuz-", ""},
		{"usr/lib/modules/", "/vmlinuz"},
		{"lib/modules/", "/vmlinuz"},
		{"boot/Image-", ""},
	};
	static const struct {
		const char *directory, *pattern;
	} anywhere[] = {
		{"boot", "vmlinu[xz]*"},     {"boot", "Image*"},
		{"boot/EFI/Linux", "*.efi"}, {"boot/efi/EFI/Linux", "*.efi"},
		{"efi/EFI/Linux", "*.efi"},
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(by_release); i++) {
		_cleanup_free_ char *path = NULL;

		if (asprintf(&path, "%s%s%s", by_release[i].before, kernel->release,
			     by_release[i].after) < 0)
			path = NULL;
		r = path ? try_image(root_fd, path, id, kernel) : -ENOMEM;
	}
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(anywhere); i++)
		r = try_directory(root_fd, anywhere[i].directory, anywhere[i].pattern, id, kernel);
	return r;
}

/* The kernel's own notes are as they are in its image. */
static int read_build_id(int root_fd, struct image_build_id *ret)
{
	_cleanup_(image_scan_freep) struct image_scan *scan = image_scan_new();
	_cleanup_image_ struct image *notes = calloc(1, sizeof(*notes));
	_cleanup_free_ char *bytes = NULL;
	size_t size;
	int r;

	if (!scan || !notes)
		return -ENOMEM;
	r = read_file_at(root_fd, "sys/kernel/notes", NOTES_MAX, &bytes, &size);
	if (r == 0)
		r = image_scan_add(scan, (uint8_t *)bytes, size);
	if (r == 0)
		r = image_scan_finish(scan, notes);
	if (r == 0 && notes->n_build_ids == 0)
		r = -ENODATA;
	if (r == 0)
		*ret = notes->build_ids[0];
	return r;
}

static int read_image(int root_fd, struct running_kernel *kernel)
{
	struct image_build_id id;
	int r = read_build_id(root_fd, &id);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return add_problem(kernel,
				   "the running kernel shows no build-id in "
				   "/sys/kernel/notes, so no image can be told to be its own");
	r = find_image(root_fd, &id, kernel);
	if (r < 0)
		return r;
	if (r == 0)
		return add_problem(kernel,
				   "no image in /boot or /usr/lib/modules/%s has the build-id of "
				   "the running kernel: install its package again",
				   kernel->release);
	free(kernel->problem);
	kernel->problem = NULL;
	abi_done(&kernel->abi);
	return abi_copy(&kernel->image->abi, &kernel->abi);
}

/* What the kernel does not show, its image may have. -ENOMEM, or 0. */
static int read_layouts(int root_fd, struct running_kernel *kernel)
{
	_cleanup_free_ char *btf = NULL;
	size_t size;
	int r = read_file_at(root_fd, "sys/kernel/btf/vmlinux", BTF_MAX, &btf, &size);

	if (r == -ENOMEM)
		return r;
	if (r == 0)
		return abi_layouts_add(&kernel->layouts, btf, size);
	if (kernel->image) {
		kernel->layouts = kernel->image->layouts;
		kernel->image->layouts = (struct abi_layouts){};
	}
	return 0;
}

int running_kernel_read_at(int root_fd, const char *release, struct running_kernel **ret)
{
	_cleanup_running_kernel_ struct running_kernel *kernel = calloc(1, sizeof(*kernel));
	int r;

	if (!kernel || abi_init(&kernel->abi) < 0)
		return -ENOMEM;
	if (strlen(release) >= sizeof(kernel->release))
		return -EINVAL;
	strcpy(kernel->release, release);
	r = read_image(root_fd, kernel);
	if (r >= 0)
		r = witness_read(root_fd, &kernel->abi);
	if (r == 1)
		r = add_problem(kernel, "what /sys/kernel/debug/kho shows is not what %s has",
				kernel->image ? kernel->image->path : "the kernel itself");
	if (r >= 0)
		r = read_layouts(root_fd, kernel);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(kernel);
	return 0;
}

int running_kernel_read(struct running_kernel **ret)
{
	_cleanup_close_ int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct utsname name;

	if (root_fd < 0 || uname(&name) < 0)
		return -errno;
	return running_kernel_read_at(root_fd, name.release, ret);
}
