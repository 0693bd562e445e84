/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <string.h>

#include "kho/core/strv.h"
#include "kho/core/text.h"
#include "kho/kernel/boot-entry-private.h"
#include "kho/kernel/file.h"

#define FOLDER "loader/entries"
#define FILE_SIZE_MAX (1024 * 1024)

/* The first problem is the one to tell. */
static int set_problem(struct boot_entry *entry, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int set_problem(struct boot_entry *entry, const char *format, ...)
{
	va_list ap;

	if (entry->problem)
		return 0;
	va_start(ap, format);
	entry->problem = text_vformat(256, format, ap);
	va_end(ap);
	return entry->problem ? 0 : -ENOMEM;
}

static int set_text(char **field, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

/* Without "." and "..", and not a folder. */
static bool is_plain_path(const char *path)
{
	for (const char *part = path; part;) {
		const char *slash;
		size_t length;

		part += strspn(part, "/");
		slash = strchr(part, '/');
		length = slash ? (size_t)(slash - part) : strlen(part);
		if (length == 0 || (length == 1 && part[0] == '.') ||
		    (length == 2 && part[0] == '.' && part[1] == '.'))
			return false;
		part = slash;
	}
	return true;
}

/* With or without a slash in front, it begins at the root of its file system. */
static int resolve(struct boot_entry *entry, const char *value, char **ret)
{
	*ret = NULL;
	if (!is_plain_path(value))
		return set_problem(entry, "names \"%s\", which is no plain path", value);
	if (asprintf(ret, "%s/%s", entry->root, value + strspn(value, "/")) < 0) {
		*ret = NULL;
		return -ENOMEM;
	}
	return 0;
}

static int set_image(struct boot_entry *entry, const char *value)
{
	char *path;
	int r = resolve(entry, value, &path);

	if (!path)
		return r;
	free(entry->image);
	entry->image = path;
	return 0;
}

static int add_initrd(struct boot_entry *entry, const char *value)
{
	char *path;
	int r;

	if (strchr(value, '$'))
		return set_problem(entry, "has the initrd \"%s\", which only GRUB understands",
				   value);
	r = resolve(entry, value, &path);
	return path ? strv_consume(&entry->initrds, path) : r;
}

/* GRUB, where it reads these files, puts its variables in. */
static bool has_variable(const char *options)
{
	for (const char *p = strchr(options, '$'); p; p = strchr(p + 1, '$'))
		if ((p == options || isspace((unsigned char)p[-1])) &&
		    (isalpha((unsigned char)p[1]) || p[1] == '{'))
			return true;
	return false;
}

static int add_options(struct boot_entry *entry, const char *value)
{
	char *all;

	if (has_variable(value))
		return set_problem(entry,
				   "has variables of GRUB's in its options, \"%s\": set Kernel= "
				   "and CommandLine= in live-update.conf",
				   value);
	if (asprintf(&all, "%s%s%s", entry->options ?: "", *entry->options ? " " : "", value) < 0)
		return -ENOMEM;
	free(entry->options);
	entry->options = all;
	return 0;
}

static int take_other(struct boot_entry *entry, const char *key, const char *value)
{
	if (strcmp(key, "efi") == 0)
		return set_problem(entry, "starts the EFI program %s, which is no Linux kernel",
				   value);
	if (strcmp(key, "uki-url") == 0)
		return set_problem(entry, "is to be fetched from %s, which is not done here",
				   value);
	if (strcmp(key, "profile") == 0 && strcmp(value, "0") != 0)
		return set_problem(entry, "wants profile %s of its image, which kexec can't choose",
				   value);
	if (strcmp(key, "devicetree") == 0 || strcmp(key, "devicetree-overlay") == 0)
		return strv_appendf(&entry->notes,
				    "%s %s has no effect: the next kernel gets this one's "
				    "device tree",
				    key, value);
	if (strcmp(key, "extra") == 0)
		return strv_appendf(&entry->notes,
				    "extra %s has no effect: no boot loader hands it over", value);
	return 0;
}

static int take_line(struct boot_entry *entry, char *line)
{
	static const struct {
		const char *key;
		size_t field;
	} texts[] = {
		{"sort-key", offsetof(struct boot_entry, sort_key)},
		{"machine-id", offsetof(struct boot_entry, machine_id)},
		{"version", offsetof(struct boot_entry, version)},
		{"architecture", offsetof(struct boot_entry, architecture)},
	};
	char *key = line + strspn(line, " \t\r"), *value = key + strcspn(key, " \t\r"), *end;

	if (*key == '#' || !*value)
		return 0;
	*value++ = '\0';
	value += strspn(value, " \t\r");
	for (end = value + strlen(value); end > value && isspace((unsigned char)end[-1]); end--)
		;
	*end = '\0';
	if (!*value)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (strcmp(texts[i].key, key) == 0)
			return set_text((char **)((char *)entry + texts[i].field), value);
	if (strcmp(key, "linux") == 0 || strcmp(key, "uki") == 0)
		return set_image(entry, value);
	if (strcmp(key, "initrd") == 0)
		return add_initrd(entry, value);
	if (strcmp(key, "options") == 0)
		return add_options(entry, value);
	return take_other(entry, key, value);
}

static int parse(struct boot_entry *entry, char *text)
{
	char *line;
	int r = 0;

	entry->options = strdup("");
	if (!entry->options)
		return -ENOMEM;
	while (r >= 0 && (line = strsep(&text, "\n")))
		r = take_line(entry, line);
	if (r >= 0 && !entry->image)
		r = set_problem(entry, "names no kernel");
	return r;
}

int boot_entry_read(int root_fd, const char *root, const char *name, struct boot_entry *ret)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	int r = boot_entry_init(ret, root, FOLDER, name, ".conf");

	if (r >= 0)
		r = read_file_at(root_fd, ret->path + 1, FILE_SIZE_MAX, &text, &size);
	if (r >= 0 && !text_is_utf8(text, size))
		r = -EBADMSG;
	return r < 0 ? r : parse(ret, text);
}
