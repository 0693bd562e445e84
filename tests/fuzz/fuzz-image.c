/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "kho/kernel/image.h"

static void require(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "fuzz-image: %s\n", what);
	abort();
}

static void check_string(const char *string, const char *name)
{
	if (!string)
		return;
	require(strncmp(string, name, strlen(name)) == 0, "a string is in another's place");
	string += strlen(name);
	require(string[0] == '-' && string[1] == 'v' &&
			strspn(string + 2, "0123456789") == strlen(string + 2) && string[2],
		"a string has no version");
}

static void check_abi(const struct abi *abi)
{
	check_string(abi->kho, "kho");
	check_string(abi->luo, "luo");
	check_string(abi->luo_session, "luo-session");
	check_string(abi->luo_flb, "luo-flb");
	check_string(abi->memblock, "memblock");
	check_string(abi->reserve_mem, "reserve-mem");
	require(abi->file_handlers, "no list of file handlers");
	for (char **handler = abi->file_handlers; *handler; handler++)
		require(!handler[1] || strcmp(handler[0], handler[1]) < 0, "handlers out of order");
}

static void check_part(const struct image *image, const struct image_part *part)
{
	require(part->size == 0 ||
			(part->offset <= image->size && part->size <= image->size - part->offset),
		"a part is not within the file");
}

static void check_image(const struct image *image)
{
	const char *reason = NULL;

	check_part(image, &image->payload);
	check_part(image, &image->initrd);
	check_part(image, &image->cmdline);
	check_abi(&image->abi);
	if (image->problem)
		require(!image->abi.kho && !image->abi.luo && !image->abi.file_handlers[0] &&
				image->n_build_ids == 0 && !image->config,
			"something is known of what could not be read");
	require(!image->release || (strlen(image->release) <= 64 && *image->release),
		"a release that is none");
	require((image_check_loadable(image, &reason) < 0) == (reason != NULL), "no reason");
	free(image_config(image, "CONFIG_LIVEUPDATE"));
	require(image_kind_name(image->kind) && image_arch_name(image->arch), "no name");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_close_ int directory = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int fd = memfd_create("image", MFD_CLOEXEC);
	_cleanup_image_ struct image *image = NULL;
	_cleanup_free_ char *message = NULL;
	char name[16];
	int r;

	require(fd >= 0 && directory >= 0 && write(fd, data, size) == (ssize_t)size, "no memfd");
	snprintf(name, sizeof(name), "%d", fd);
	r = image_read_at(directory, name, &image, &message);
	require((r == 0) == (image != NULL), "an error and an image, or neither");
	require((r == 0) == (message == NULL), "an error without its message");
	if (image)
		check_image(image);
	return 0;
}
