/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "kho/kernel/image.h"
#include "tests/unit/fake-root.h"
#include "tests/unit/image-sample.h"

#define MODULES "usr/lib/modules/" SAMPLE_RELEASE

static int setup(void **state)
{
	*state = (void *)(intptr_t)fake_root_open();
	return 0;
}

static int teardown(void **state)
{
	fake_root_close((int)(intptr_t)*state);
	return 0;
}

static struct image *read_image(int root_fd, const char *path, const char *ikconfig)
{
	_cleanup_free_ char *message = NULL;
	_cleanup_blob_ struct blob kernel = {};
	struct image *image = NULL;

	sample_vmlinux(&kernel, 1);
	if (ikconfig)
		sample_ikconfig(&kernel, ikconfig);
	blob_fill(&kernel, 0x90, 64);
	fake_blob(root_fd, path, kernel.data, kernel.size);
	assert_int_equal(image_read_at(root_fd, path, &image, &message), 0);
	assert_null(image->problem);
	return image;
}

static void assert_value(const struct image *image, const char *symbol, const char *expected)
{
	_cleanup_free_ char *value = image_config(image, symbol);

	if (expected)
		assert_string_equal(value, expected);
	else
		assert_null(value);
}

static void test_values(void **state)
{
	int root_fd = (int)(intptr_t)*state;
	_cleanup_image_ struct image *image = read_image(
		root_fd, "boot/vmlinux",
		"#\n# Linux/x86 7.3.4 Kernel Configuration\n#\nCONFIG_A=y\nCONFIG_AB=m\n"
		"# CONFIG_ABC is not set\nCONFIG_TEXT=\"a=b\"\nCONFIG_NUMBER=0x10\nCONFIG_LAST=y");

	assert_value(image, "CONFIG_A", "y");
	assert_value(image, "CONFIG_AB", "m");
	assert_value(image, "CONFIG_ABC", "n");
	assert_value(image, "CONFIG_TEXT", "\"a=b\"");
	assert_value(image, "CONFIG_NUMBER", "0x10");
	assert_value(image, "CONFIG_LAST", "y");
	assert_value(image, "CONFIG_LAS", NULL);
	assert_value(image, "CONFIG_OTHER", NULL);
	assert_value(image, "ONFIG_A", NULL);
}

static void test_where_from(void **state)
{
	int root_fd = (int)(intptr_t)*state;
	_cleanup_image_ struct image *none = NULL, *boot = NULL, *beside = NULL, *embedded = NULL;

	none = read_image(root_fd, MODULES "/vmlinuz", NULL);
	assert_null(none->config);
	assert_null(none->config_source);
	assert_value(none, "CONFIG_A", NULL);
	fake_file(root_fd, "boot/config-" SAMPLE_RELEASE, "CONFIG_A=y\nCONFIG_PAGE_SHIFT=14\n");
	fake_file(root_fd, "boot/config-7.3.4", "CONFIG_A=m\n");
	boot = read_image(root_fd, MODULES "/vmlinuz", NULL);
	assert_string_equal(boot->config_source, "/boot/config-" SAMPLE_RELEASE);
	assert_value(boot, "CONFIG_A", "y");
	assert_int_equal(boot->page_size, 16384);
	fake_file(root_fd, MODULES "/config-" SAMPLE_RELEASE, "# CONFIG_A is not set\n");
	beside = read_image(root_fd, MODULES "/vmlinuz", NULL);
	assert_string_equal(beside->config_source, "/" MODULES "/config-" SAMPLE_RELEASE);
	assert_value(beside, "CONFIG_A", "n");
	embedded = read_image(root_fd, MODULES "/vmlinuz", "CONFIG_A=m\n");
	assert_string_equal(embedded->config_source, "embedded");
	assert_value(embedded, "CONFIG_A", "m");
}

static void test_not_a_config(void **state)
{
	int root_fd = (int)(intptr_t)*state;
	_cleanup_image_ struct image *image = NULL;

	fake_file(root_fd, "boot/config-" SAMPLE_RELEASE, "nothing of the kind\n");
	image = read_image(root_fd, "boot/vmlinuz", "neither is this\n");
	assert_null(image->config);
	assert_int_equal(image->page_size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_where_from, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_a_config, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
