/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLIENT_CONF_FILE_H
#define KHO_CLIENT_CONF_FILE_H

#include <stddef.h>

/*
 * Configuration files in systemd's manner, systemd.syntax(7). Paths are absolute, and looked up
 * below the directory root_fd, which stands for /.
 */

/* An assignment, or a line that is none (key NULL). */
struct conf_line {
	const char *path;
	unsigned int number;
	const char *section; /* NULL: none has begun */
	const char *key;
	const char *value; /* "" if it is to be reset */
};

/* Returns 0, or a negative errno that ends the reading. */
typedef int (*conf_line_fn)(const struct conf_line *line, void *userdata);

/*
 * The files of NAME ("live-update.conf") in the order in which they count: the first one of that
 * name in /etc/kho, /run/kho, /usr/local/lib/kho and /usr/lib/kho, and the drop-ins of NAME.d in
 * all of them, sorted by their names. Of drop-ins with the same name the first counts; empty files
 * and links to /dev/null mask. 0 or a negative errno with *ret_message, one line to be freed by the
 * caller (NULL: out of memory). *ret is a strv of the caller's.
 */
int conf_files_find(int root_fd, const char *name, char ***ret, char **ret_message);

/*
 * Reads one. 0; what the function returned; or a negative errno with *ret_message as above:
 * -EFBIG over a MiB, -EBADMSG with a NUL or without UTF-8, and what opening and reading gave.
 */
int conf_file_read(int root_fd, const char *path, conf_line_fn function, void *userdata,
		   char **ret_message);

#endif
