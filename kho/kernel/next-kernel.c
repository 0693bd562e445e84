/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "kho/core/strv.h"
#include "kho/core/text.h"
#include "kho/kernel/cmdline.h"
#include "kho/kernel/file.h"
#include "kho/kernel/image.h"
#include "kho/kernel/next-kernel-private.h"

#define CMDLINE_MAX 65536
#define MESSAGE_MAX 4096

int next_kernel_fail(char **ret_message, int error, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	*ret_message = text_vformat(MESSAGE_MAX, format, ap);
	va_end(ap);
	return *ret_message ? error : -ENOMEM;
}

/* What isspace() says to cmdline_next(). */
#define WHITESPACE " \t\n\v\f\r"

char *cmdline_without_loader(const char *cmdline)
{
	static const char *const loaders[] = {"BOOT_IMAGE", "initrd"};
	char *result = calloc(strlen(cmdline) + 1, 1), *end = result;
	struct cmdline_word word;

	while (result && *cmdline) {
		const char *start = cmdline += strspn(cmdline, WHITESPACE);
		bool is_kernels = cmdline_next(&cmdline, &word);

		if (!is_kernels)
			cmdline = start + strlen(start); /* the rest is init's */
		else if (cmdline_word_is(&word, loaders[0]) || cmdline_word_is(&word, loaders[1]))
			continue;
		if (cmdline == start)
			break;
		if (end != result)
			*end++ = ' ';
		end = mempcpy(end, start, (size_t)(cmdline - start));
	}
	if (result)
		result[strcspn(result, "\n")] = '\0';
	return result;
}

static int running_cmdline(int root_fd, char **ret, char **ret_message)
{
	_cleanup_free_ char *text = NULL;
	int r = read_file_at(root_fd, "proc/cmdline", CMDLINE_MAX, &text, NULL);

	if (r < 0)
		return next_kernel_fail(ret_message, r, "/proc/cmdline: %s", strerror(-r));
	*ret = cmdline_without_loader(text);
	return *ret ? 0 : -ENOMEM;
}

static void forget_cmdline(struct next_kernel *next)
{
	free(TAKE_PTR(next->cmdline));
	free(TAKE_PTR(next->cmdline_from));
}

/* What was asked for goes before what comes with the kernel. */
static int replace_cmdline(int root_fd, const struct next_kernel_wish *wish,
			   struct next_kernel *next, char **ret_message)
{
	_cleanup_free_ char *first = NULL;
	const char *second = wish->command_line ?: "", *from = wish->command_line_at;
	int r;

	if (!wish->command_line && !wish->reuse_cmdline)
		return 0;
	if (wish->reuse_cmdline) {
		r = running_cmdline(root_fd, &first, ret_message);
		if (r < 0)
			return r;
		from = from ?: wish->reuse_cmdline_at;
	}
	forget_cmdline(next);
	next->cmdline_from = from ? strdup(from) : NULL;
	if (asprintf(&next->cmdline, "%s%s%s", first ?: "", first && *first && *second ? " " : "",
		     second) < 0)
		next->cmdline = NULL;
	return next->cmdline && (next->cmdline_from || !from) ? 0 : -ENOMEM;
}

/* The command line of a kernel that comes with none: a unified kernel image brings its own. */
static int default_cmdline(int root_fd, const struct image *image, struct next_kernel *next,
			   char **ret_message)
{
	if (image->cmdline.size > 0) {
		next->cmdline_from = strdup(next->image);
		return next->cmdline_from ? 0 : -ENOMEM;
	}
	next->cmdline_from = strdup("the running kernel");
	if (!next->cmdline_from)
		return -ENOMEM;
	return running_cmdline(root_fd, &next->cmdline, ret_message);
}

static int look_at_image(int root_fd, struct next_kernel *next, struct image **ret,
			 char **ret_message)
{
	_cleanup_free_ char *message = NULL;
	int r = image_read_header_at(root_fd, next->image + 1, ret, &message);

	if (r >= 0) {
		const struct image *image = *ret;

		next->release = image->release ? strdup(image->release) : NULL;
		return image->release && !next->release ? -ENOMEM : 0;
	}
	if (!message)
		return -ENOMEM;
	return next_kernel_fail(ret_message, r, "%s: the next kernel would be /%s", next->why,
				message);
}

static int look_at_initrds(int root_fd, const struct next_kernel *next, char **ret_message)
{
	for (char **path = next->initrds; path && *path; path++) {
		_cleanup_free_ char *message = NULL;
		_cleanup_close_ int fd = -EBADF;
		uint64_t size;

		fd = open_filled_file_at(root_fd, *path + 1, &size, &message);
		if (fd >= 0)
			continue;
		if (!message)
			return -ENOMEM;
		return next_kernel_fail(ret_message, fd, "%s: its initrd would be /%s", next->why,
					message);
	}
	return 0;
}

static int complete(int root_fd, const struct next_kernel_wish *wish, struct next_kernel *next,
		    char **ret_message)
{
	_cleanup_image_ struct image *image = NULL;
	int r = look_at_image(root_fd, next, &image, ret_message);

	if (r >= 0)
		r = look_at_initrds(root_fd, next, ret_message);
	/* Without options, its stub takes those in it. */
	if (r >= 0 && next->cmdline && !*next->cmdline && image->cmdline.size > 0)
		forget_cmdline(next);
	if (r >= 0 && !next->cmdline)
		r = default_cmdline(root_fd, image, next, ret_message);
	if (r >= 0)
		r = replace_cmdline(root_fd, wish, next, ret_message);
	return r;
}

static int choose_wished(const struct next_kernel_wish *wish, struct next_kernel *next)
{
	int r = 0;

	next->image = strdup(wish->kernel);
	next->source = strdup(wish->kernel_at);
	if (asprintf(&next->why, "Kernel= in %s", wish->kernel_at) < 0)
		next->why = NULL;
	for (char *const *path = wish->initrds; r >= 0 && path && *path; path++)
		r = strv_append(&next->initrds, *path);
	return next->image && next->source && next->why ? r : -ENOMEM;
}

/* As Debian's linux packages keep them, or linux-update-symlinks(1). 1; 0: there are none. */
static int choose_link(int root_fd, struct next_kernel *next)
{
	static const struct {
		const char *kernel, *initrd;
	} links[] = {{"/boot/vmlinuz", "/boot/initrd.img"}, {"/vmlinuz", "/initrd.img"}};

	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		struct stat st;
		int r = 0;

		/* One that leads nowhere was meant, and is complained of later. */
		if (fstatat(root_fd, links[i].kernel + 1, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		next->image = strdup(links[i].kernel);
		next->source = strdup(links[i].kernel);
		next->why = strdup("no boot loader entries are there");
		if (fstatat(root_fd, links[i].initrd + 1, &st, AT_SYMLINK_NOFOLLOW) == 0)
			r = strv_append(&next->initrds, links[i].initrd);
		return next->image && next->source && next->why && r >= 0 ? 1 : -ENOMEM;
	}
	return 0;
}

int next_kernel_choose_at(int root_fd, const struct next_kernel_wish *wish, struct next_kernel *ret,
			  char **ret_message)
{
	int r;

	*ret = (struct next_kernel){};
	*ret_message = NULL;
	if (wish->kernel)
		r = choose_wished(wish, ret) < 0 ? -ENOMEM : 1;
	else
		r = next_kernel_from_entry(root_fd, wish, ret, ret_message);
	if (r == 0)
		r = choose_link(root_fd, ret);
	if (r == 0)
		return next_kernel_fail(
			ret_message, -ENOENT,
			"nothing says which kernel comes next: there is no boot "
			"loader entry and no /boot/vmlinuz; name it, or set Kernel= "
			"in /etc/kho/live-update.conf");
	return r < 0 ? r : complete(root_fd, wish, ret, ret_message);
}

int next_kernel_choose(const struct next_kernel_wish *wish, struct next_kernel *ret,
		       char **ret_message)
{
	_cleanup_close_ int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	*ret = (struct next_kernel){};
	*ret_message = NULL;
	return root_fd < 0 ? -errno : next_kernel_choose_at(root_fd, wish, ret, ret_message);
}

void next_kernel_done(struct next_kernel *next)
{
	free(next->image);
	strv_free(next->initrds);
	free(next->cmdline);
	free(next->cmdline_from);
	free(next->release);
	free(next->entry);
	free(next->source);
	free(next->why);
	strv_free(next->warnings);
	*next = (struct next_kernel){};
}
