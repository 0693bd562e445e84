/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "kho/client/conf-file.h"
#include "kho/core/cleanup.h"
#include "kho/core/strv.h"
#include "kho/core/text.h"
#include "kho/kernel/file.h"

#define FILE_SIZE_MAX (1024 * 1024)

struct reader {
	const char *path;
	char *section;
	char *joined; /* lines that go on in the next one; NULL: none */
	unsigned int number, first;
	conf_line_fn function;
	void *userdata;
};

static void reader_done(struct reader *reader)
{
	free(reader->section);
	free(reader->joined);
}

static char *strip(char *text)
{
	char *end;

	while (isspace((unsigned char)*text))
		text++;
	for (end = text + strlen(text); end > text && isspace((unsigned char)end[-1]); end--)
		;
	*end = '\0';
	return text;
}

static int take_line(struct reader *reader, char *text)
{
	struct conf_line line = {.path = reader->path, .number = reader->first, .value = ""};
	size_t length = strlen(text);
	char *equals;

	if (*text == '[' && text[length - 1] == ']') {
		text[length - 1] = '\0';
		free(reader->section);
		reader->section = strdup(text + 1);
		return reader->section ? 0 : -ENOMEM;
	}
	line.section = reader->section;
	equals = strchr(text, '=');
	if (equals && equals > text) {
		*equals = '\0';
		line.key = strip(text);
		line.value = strip(equals + 1);
	}
	return reader->function(&line, reader->userdata);
}

/* A line that ends in a backslash goes on in the next one, comments in between left out. */
static int add_line(struct reader *reader, char *raw)
{
	_cleanup_free_ char *before = TAKE_PTR(reader->joined), *whole = NULL;
	char *text = strip(raw);
	size_t length = strlen(text);
	bool goes_on;

	if (*text == '#' || *text == ';') {
		reader->joined = TAKE_PTR(before);
		return 0;
	}
	goes_on = length > 0 && text[length - 1] == '\\';
	if (goes_on)
		text[length - 1] = '\0';
	if (!before)
		reader->first = reader->number;
	if (asprintf(&whole, "%s%s%s", before ?: "", before ? " " : "", text) < 0) {
		whole = NULL;
		return -ENOMEM;
	}
	if (goes_on) {
		reader->joined = TAKE_PTR(whole);
		return 0;
	}
	text = strip(whole);
	return *text ? take_line(reader, text) : 0;
}

static int read_lines(struct reader *reader, char *text)
{
	char *line;
	int r = 0;

	while (r >= 0 && (line = strsep(&text, "\n"))) {
		reader->number++;
		r = add_line(reader, line);
	}
	if (r >= 0 && reader->joined) {
		char nothing[] = "";

		r = add_line(reader, nothing);
	}
	return r;
}

static int fail(char **ret_message, int error, const char *path, const char *what)
{
	if (asprintf(ret_message, "%s: %s", path, what) >= 0)
		return error;
	*ret_message = NULL;
	return -ENOMEM;
}

int conf_file_read(int root_fd, const char *path, conf_line_fn function, void *userdata,
		   char **ret_message)
{
	_cleanup_(reader_done) struct reader reader = {
		.path = path, .function = function, .userdata = userdata};
	_cleanup_free_ char *text = NULL;
	size_t size;
	int r;

	*ret_message = NULL;
	r = read_file_at(root_fd, path + 1, FILE_SIZE_MAX, &text, &size);
	if (r < 0)
		return fail(ret_message, r, path, strerror(-r));
	if (!text_is_utf8(text, size))
		return fail(ret_message, -EBADMSG, path, "is not text in UTF-8");
	return read_lines(&reader, text);
}
