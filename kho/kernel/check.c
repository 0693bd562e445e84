/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "kho/kernel/check.h"
#include "kho/kernel/next-kernel.h"

#define CMDLINE_MAX 65536

int check_begin(struct check *ret)
{
	int r;

	*ret = (struct check){};
	r = machine_read(&ret->machine);
	if (r >= 0)
		r = running_kernel_read(&ret->here);
	return r;
}

void check_done(struct check *check)
{
	machine_done(&check->machine);
	check->here = running_kernel_free(check->here);
}

void checked_done(struct checked *checked)
{
	image_free(checked->image);
	free(checked->cmdline);
	verdict_free(checked->verdict);
	*checked = (struct checked){};
}

/* kexec-tools' get_command_line() and concat_cmdline() */
static int given_cmdline(const struct check *check, const struct check_options *o, char **ret)
{
	const char *first = o->reuse_cmdline ? check->machine.cmdline : "";
	const char *second = o->command_line ?: "";

	if (asprintf(ret, "%s%s%s", first, *first && *second ? " " : "", second) < 0) {
		*ret = NULL;
		return -ENOMEM;
	}
	return 0;
}

static int embedded_cmdline(const struct image *image, char **ret)
{
	_cleanup_close_ int fd = open(image->path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	size_t size = (size_t)image->cmdline.size;
	ssize_t n;

	if (fd < 0)
		return -errno;
	if (image->cmdline.size > CMDLINE_MAX)
		return -EFBIG;
	text = calloc(size + 1, 1);
	if (!text)
		return -ENOMEM;
	n = pread(fd, text, size, (off_t)image->cmdline.offset);
	if (n != (ssize_t)size)
		return n < 0 ? -errno : -ENODATA;
	/* To the kernel they are white space, as between any two words. */
	for (char *end = text + strcspn(text, "\r\n"); *end; end += strcspn(end, "\r\n"))
		*end = ' ';
	for (char *end = text + strlen(text); end > text && end[-1] == ' ';)
		*--end = '\0';
	*ret = TAKE_PTR(text);
	return 0;
}

static int find_cmdline(const struct check *check, const struct check_options *o,
			struct checked *checked, char **ret_message)
{
	int r;

	if (o->command_line || o->reuse_cmdline) {
		checked->cmdline_source = CMDLINE_GIVEN;
		return given_cmdline(check, o, &checked->cmdline);
	}
	if (checked->image->cmdline.size == 0) {
		checked->cmdline_source = o->reuse_by_default ? CMDLINE_OF_KERNEL : CMDLINE_EMPTY;
		checked->cmdline = strdup(o->reuse_by_default ? check->machine.cmdline : "");
		return checked->cmdline ? 0 : -ENOMEM;
	}
	checked->cmdline_source = CMDLINE_OF_IMAGE;
	r = embedded_cmdline(checked->image, &checked->cmdline);
	if (r < 0 && asprintf(ret_message, "%s: its command line can't be read: %s",
			      checked->image->path, strerror(-r)) < 0)
		*ret_message = NULL;
	return r;
}

static int add_initrd(const char *path, struct checked *checked, char **ret_message)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		int r = -errno;

		if (asprintf(ret_message, "%s: %s", path, strerror(-r)) < 0)
			*ret_message = NULL;
		return r;
	}
	checked->initrd_size = initrd_padded(checked->initrd_size) + (uint64_t)st.st_size;
	return 0;
}

static int find_initrd(const struct check_options *o, struct checked *checked, char **ret_message)
{
	int r = 0;

	if (!o->initrd && !o->initrds) {
		checked->initrd_size = checked->image->initrd.size;
		return 0;
	}
	if (o->initrd)
		return add_initrd(o->initrd, checked, ret_message);
	for (char *const *path = o->initrds; r >= 0 && *path; path++)
		r = add_initrd(*path, checked, ret_message);
	return r;
}

int check_image(const struct check *check, const char *path, const struct check_options *options,
		struct checked *ret, char **ret_message)
{
	_cleanup_(checked_done) struct checked checked = {};
	struct verdict_question question;
	int r;

	*ret_message = NULL;
	r = image_read(path, &checked.image, ret_message);
	if (r >= 0)
		r = find_cmdline(check, options, &checked, ret_message);
	if (r >= 0)
		r = find_initrd(options, &checked, ret_message);
	if (r < 0)
		return r;
	question = (struct verdict_question){
		.machine = &check->machine,
		.here = check->here,
		.image = checked.image,
		.cmdline = checked.cmdline,
		.initrd_size = checked.initrd_size,
	};
	r = verdict_decide(&question, &checked.verdict);
	if (r < 0)
		return r;
	*ret = checked;
	checked = (struct checked){};
	return 0;
}
