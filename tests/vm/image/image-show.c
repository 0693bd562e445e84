/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prints what is read of an image (image-show FILE), or of the running kernel (image-show). */
#include <inttypes.h>
#include <string.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/running.h"

static void show(const char *name, const char *value)
{
	printf("%s=%s\n", name, value ?: "");
}

static void show_abi(const struct abi *abi)
{
	show("kho", abi->kho);
	show("luo", abi->luo);
	show("luo-session", abi->luo_session);
	show("luo-flb", abi->luo_flb);
	show("memblock", abi->memblock);
	show("reserve-mem", abi->reserve_mem);
	printf("file-handlers=");
	for (char **handler = abi->file_handlers; *handler; handler++)
		printf("%s%s", handler == abi->file_handlers ? "" : " ", *handler);
	printf("\n");
}

static void show_header(const struct image *image)
{
	show("path", image->path);
	show("kind", image_kind_name(image->kind));
	show("kernel", image_kind_name(image->kernel));
	show("arch", image_arch_name(image->arch));
	show("compression", image->compression);
	show("release", image->release);
	show("unfit", image->unfit);
	printf("relocatable=%d\nsigned=%d\npage_size=%" PRIu32 "\n", image->relocatable,
	       image->is_signed, image->page_size);
	printf("init_size=%" PRIu64 "\nkernel_alignment=%" PRIu64 "\npref_address=%" PRIu64 "\n",
	       image->init_size, image->kernel_alignment, image->pref_address);
}

static void show_kernel(const struct image *image)
{
	static const char *const symbols[] = {"CONFIG_KEXEC_HANDOVER", "CONFIG_LIVEUPDATE"};

	show("problem", image->problem);
	show_abi(&image->abi);
	for (unsigned int i = 0; i < image->n_build_ids; i++) {
		printf("build-id=");
		for (unsigned int j = 0; j < image->build_ids[i].size; j++)
			printf("%02x", image->build_ids[i].bytes[j]);
		printf("\n");
	}
	show("config", image->config_source);
	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
		_cleanup_free_ char *value = image_config(image, symbols[i]);

		show(symbols[i], value);
	}
}

static int show_running(void)
{
	_cleanup_running_kernel_ struct running_kernel *kernel = NULL;
	int r = running_kernel_read(&kernel);

	if (r < 0) {
		fprintf(stderr, "%s\n", strerror(-r));
		return EXIT_FAILURE;
	}
	show("release", kernel->release);
	show("image", kernel->image ? kernel->image->path : NULL);
	show("problem", kernel->problem);
	show_abi(&kernel->abi);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	_cleanup_image_ struct image *image = NULL;
	_cleanup_free_ char *message = NULL;

	if (argc < 2)
		return show_running();
	if (image_read(argv[1], &image, &message) < 0) {
		fprintf(stderr, "%s\n", message ?: "out of memory");
		return EXIT_FAILURE;
	}
	show_header(image);
	show_kernel(image);
	return EXIT_SUCCESS;
}
