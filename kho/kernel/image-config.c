/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/file.h"
#include "kho/kernel/image-config.h"

#define CONFIG_FILE_MAX (16u << 20)
#define PAGE_SHIFT_MIN 12
#define PAGE_SHIFT_MAX 18

/* 1 and image->config; 0 it is not there, or no configuration. */
static int read_config(int root_fd, struct image *image, char *path)
{
	_cleanup_free_ char *owned = path;
	_cleanup_free_ char *text = NULL;
	int r;

	if (!path)
		return -ENOMEM;
	/* Below another root, what is absolute is so in it. */
	r = read_file_at(root_fd, root_fd == AT_FDCWD ? path : path + 1, CONFIG_FILE_MAX, &text,
			 NULL);
	if (r < 0 || !strstr(text, "CONFIG_"))
		return r == -ENOMEM ? r : 0;
	image->config = TAKE_PTR(text);
	image->config_source = TAKE_PTR(owned);
	return 1;
}

static char *format_path(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *format_path(const char *format, ...)
{
	char *path = NULL;
	va_list ap;
	int r;

	va_start(ap, format);
	r = vasprintf(&path, format, ap);
	va_end(ap);
	return r < 0 ? NULL : path;
}

/* Beside the image, as distributions have it; and in /boot, for images that are not there. */
static int find_file(int root_fd, struct image *image)
{
	const char *slash = strrchr(image->path, '/'), *release = image->release;
	int directory = (int)(slash - image->path);
	int r;

	/* A release that is none: it becomes part of a path. */
	if (!release || strchr(release, '/'))
		return 0;
	r = read_config(root_fd, image,
			format_path("%.*s/config-%s", directory, image->path, release));
	if (r != 0)
		return r;
	return read_config(root_fd, image, format_path("/boot/config-%s", release));
}

int image_find_config(int root_fd, struct image *image)
{
	_cleanup_free_ char *shift = NULL;
	int r, n;

	if (image->problem)
		return 0;
	if (image->config) {
		image->config_source = strdup("embedded");
		if (!image->config_source)
			return -ENOMEM;
	} else {
		r = find_file(root_fd, image);
		if (r < 0)
			return r;
	}
	shift = image_config(image, "CONFIG_PAGE_SHIFT");
	n = shift ? atoi(shift) : 0;
	if (image->page_size == 0 && n >= PAGE_SHIFT_MIN && n <= PAGE_SHIFT_MAX)
		image->page_size = 1u << n;
	return 0;
}

char *image_config(const struct image *image, const char *symbol)
{
	static const char off_before[] = "# ", off_after[] = " is not set";
	size_t length = strlen(symbol);

	for (const char *line = image->config; line && *line;) {
		const char *end = strchrnul(line, '\n');

		if (strncmp(line, symbol, length) == 0 && line[length] == '=')
			return strndup(line + length + 1, (size_t)(end - line) - length - 1);
		if (strncmp(line, off_before, strlen(off_before)) == 0 &&
		    strncmp(line + strlen(off_before), symbol, length) == 0 &&
		    strncmp(line + strlen(off_before) + length, off_after, strlen(off_after)) == 0)
			return strdup("n");
		line = *end ? end + 1 : end;
	}
	return NULL;
}
