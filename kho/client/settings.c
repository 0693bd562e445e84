/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <string.h>
#include <strings.h>

#include "kho/client/conf-file.h"
#include "kho/client/format.h"
#include "kho/client/settings.h"
#include "kho/core/strv.h"
#include "kho/core/text.h"

#define NAME "live-update.conf"
#define SECTION "LiveUpdate"
#define MESSAGE_MAX 4096

/*
 * Reads a value, which is not empty, into the field. 0, -ENOMEM, or another negative errno for what
 * is no such value.
 */
typedef int (*setting_fn)(const char *value, void *field);

struct setting {
	const char *key;
	const char *wanted; /* "an absolute path": what it takes */
	setting_fn set;
	size_t field;
	size_t size; /* of the field, which an empty value zeroes */
	size_t at;   /* of where it was set; 0: nobody asks */
	void (*clear)(void *field);
};

struct reading {
	struct settings *settings;
	char *message;
};

static int set_text(const char *value, void *field)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*(char **)field);
	*(char **)field = copy;
	return 0;
}

/* An entry's id is the name of a file. */
static int set_id(const char *value, void *field)
{
	return strchr(value, '/') ? -EINVAL : set_text(value, field);
}

static int set_path(const char *value, void *field)
{
	return *value == '/' ? set_text(value, field) : -EINVAL;
}

static int add_path(const char *value, void *field)
{
	return *value == '/' ? strv_append(field, value) : -EINVAL;
}

static int set_boolean(const char *value, void *field)
{
	static const char *const yes[] = {"1", "yes", "y", "true", "t", "on"};
	static const char *const no[] = {"0", "no", "n", "false", "f", "off"};

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		if (strcasecmp(value, yes[i]) != 0 && strcasecmp(value, no[i]) != 0)
			continue;
		*(bool *)field = strcasecmp(value, yes[i]) == 0;
		return 0;
	}
	return -EINVAL;
}

/* "no" in whatever spelling, or where. */
static int set_spool(const char *value, void *field)
{
	bool yes;

	if (*value == '/')
		return set_text(value, field);
	return set_boolean(value, &yes) < 0 || yes ? -EINVAL : set_text("no", field);
}

static int set_transport(const char *value, void *field)
{
	static const char *const names[] = {"auto", "luo", "initrd", "spool"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(value, names[i]) == 0)
			return set_text(value, field);
	return -EINVAL;
}

static int set_timeout(const char *value, void *field)
{
	uint64_t usec;
	int r = parse_seconds(value, &usec);

	if (r < 0 || usec == 0 || usec > SETTINGS_TIMEOUT_MAX)
		return -EINVAL;
	*(uint64_t *)field = usec;
	return 0;
}

int parse_digest_size_max(const char *text, uint64_t *ret)
{
	if (strcmp(text, "always") == 0)
		*ret = INT64_MAX;
	else if (strcmp(text, "never") == 0)
		*ret = 0;
	else
		return parse_size(text, ret);
	return 0;
}

static int set_digest(const char *value, void *field)
{
	struct settings_digest *digest = field;
	int r = parse_digest_size_max(value, &digest->size_max);

	digest->set = r >= 0;
	return r;
}

static void clear_text(void *field)
{
	free(*(char **)field);
}

static void clear_paths(void *field)
{
	strv_free(*(char ***)field);
}

#define FIELD(f) offsetof(struct settings, f), sizeof(((struct settings *)NULL)->f)
#define AT(f) offsetof(struct settings, f)

static const struct setting settings_table[] = {
	{"Entry", "the id of a boot loader entry", set_id, FIELD(entry), AT(entry_at), clear_text},
	{"Kernel", "an absolute path", set_path, FIELD(kernel), AT(kernel_at), clear_text},
	{"Initrd", "an absolute path", add_path, FIELD(initrds), AT(initrds_at), clear_paths},
	{"CommandLine", "words", set_text, FIELD(command_line), AT(command_line_at), clear_text},
	{"ReuseCommandLine", "yes or no", set_boolean, FIELD(reuse_cmdline), AT(reuse_cmdline_at),
	 NULL},
	{"TimeoutSec", "seconds, more than 0 and at most a day", set_timeout, FIELD(timeout_usec),
	 0, NULL},
	{"Transport", "auto, luo, initrd or spool", set_transport, FIELD(transport), 0, clear_text},
	{"Spool", "an absolute path, or no", set_spool, FIELD(spool), 0, clear_text},
	{"DigestSizeMax", "always, never or a size as 256M", set_digest, FIELD(digest), 0, NULL},
};

static const struct setting *find_setting(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(settings_table); i++)
		if (strcmp(settings_table[i].key, key) == 0)
			return &settings_table[i];
	return NULL;
}

static int note_place(struct settings *settings, const struct setting *setting,
		      const struct conf_line *line)
{
	char **at = (char **)((char *)settings + setting->at);

	if (setting->at == 0)
		return 0;
	free(*at);
	*at = NULL;
	if (*line->value && asprintf(at, "%s:%u", line->path, line->number) < 0) {
		*at = NULL;
		return -ENOMEM;
	}
	return 0;
}

static int assign(struct reading *reading, const struct setting *setting,
		  const struct conf_line *line)
{
	void *field = (char *)reading->settings + setting->field;
	int r = 0;

	if (*line->value) {
		r = setting->set(line->value, field);
	} else {
		if (setting->clear)
			setting->clear(field);
		memset(field, 0, setting->size);
	}
	if (r >= 0)
		return note_place(reading->settings, setting, line);
	if (r == -ENOMEM)
		return r;
	reading->message = text_format(MESSAGE_MAX, "%s:%u: %s= takes %s, not \"%s\"", line->path,
				       line->number, setting->key, setting->wanted, line->value);
	return reading->message ? -EINVAL : -ENOMEM;
}

static int take_line(const struct conf_line *line, void *userdata)
{
	struct reading *reading = userdata;
	char ***warnings = &reading->settings->warnings;
	const struct setting *setting;

	/* As systemd does, for what others keep in the same file. */
	if (line->section && strncmp(line->section, "X-", 2) == 0)
		return 0;
	if (!line->key)
		return strv_appendf(warnings, "%s:%u: neither a section nor KEY=VALUE, ignored",
				    line->path, line->number);
	if (!line->section || strcmp(line->section, SECTION) != 0)
		return strv_appendf(warnings, "%s:%u: %s= is not in section [" SECTION "], ignored",
				    line->path, line->number, line->key);
	setting = find_setting(line->key);
	if (!setting)
		return strv_appendf(warnings, "%s:%u: unknown setting %s=, ignored", line->path,
				    line->number, line->key);
	return assign(reading, setting, line);
}

/* An entry brings its kernel and initrds; its command line alone can be replaced. */
static int check_together(const struct settings *s, char **ret_message)
{
	int n = 0;

	if (s->entry && s->kernel)
		n = asprintf(ret_message,
			     "%s: Kernel= and Entry= (%s) exclude each other: reset one of them by "
			     "an empty assignment",
			     s->kernel_at, s->entry_at);
	else if (s->initrds && !s->kernel)
		n = asprintf(ret_message, "%s: Initrd= goes with Kernel= only", s->initrds_at);
	else
		return 0;
	if (n < 0)
		*ret_message = NULL;
	return n < 0 ? -ENOMEM : -EINVAL;
}

int settings_read_at(int root_fd, struct settings *ret, char **ret_message)
{
	struct reading reading = {.settings = ret};
	_cleanup_strv_ char **files = NULL;
	int r;

	*ret = (struct settings){};
	r = conf_files_find(root_fd, NAME, &files, ret_message);
	for (char **file = files; r >= 0 && file && *file; file++) {
		r = conf_file_read(root_fd, *file, take_line, &reading, ret_message);
		if (r < 0 && reading.message)
			*ret_message = reading.message;
	}
	return r < 0 ? r : check_together(ret, ret_message);
}

int settings_read(struct settings *ret, char **ret_message)
{
	_cleanup_close_ int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	*ret = (struct settings){};
	*ret_message = NULL;
	return root_fd < 0 ? -errno : settings_read_at(root_fd, ret, ret_message);
}

void settings_done(struct settings *s)
{
	free(s->entry);
	free(s->kernel);
	strv_free(s->initrds);
	free(s->command_line);
	free(s->transport);
	free(s->spool);
	free(s->entry_at);
	free(s->kernel_at);
	free(s->initrds_at);
	free(s->command_line_at);
	free(s->reuse_cmdline_at);
	strv_free(s->warnings);
	*s = (struct settings){};
}
