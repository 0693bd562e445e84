/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "initrd/root-spec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "kho/kernel/cmdline.h"

void root_spec_done(struct root_spec *spec)
{
	free(spec->root);
	free(spec->types);
	free(spec->options);
	free(spec->init);
	*spec = (struct root_spec){};
}

static int take_value(const struct cmdline_word *word, char **value)
{
	free(*value);
	*value = strndup(word->value ? word->value : "", word->value_length);
	return *value ? 0 : -ENOMEM;
}

static int take_word(const struct cmdline_word *word, struct root_spec *spec)
{
	if (cmdline_word_is(word, "ro"))
		spec->writable = false;
	else if (cmdline_word_is(word, "rw"))
		spec->writable = true;
	else if (cmdline_word_is(word, "rootwait"))
		spec->wait = true;
	if (!word->value)
		return 0;
	if (cmdline_word_is(word, "root"))
		return take_value(word, &spec->root);
	if (cmdline_word_is(word, "rootfstype"))
		return take_value(word, &spec->types);
	if (cmdline_word_is(word, "rootflags"))
		return take_value(word, &spec->options);
	if (cmdline_word_is(word, "init"))
		return take_value(word, &spec->init);
	if (cmdline_word_is(word, "rootdelay"))
		spec->delay_s = (unsigned int)strtoul(word->value, NULL, 0);
	return 0;
}

int root_spec_parse(const char *cmdline, struct root_spec *ret)
{
	struct cmdline_word word;
	const char *cursor = cmdline;

	*ret = (struct root_spec){};
	while (cmdline_next(&cursor, &word)) {
		int r = take_word(&word, ret);

		if (r < 0) {
			root_spec_done(ret);
			return r;
		}
	}
	return 0;
}

/* block/early-lookup.c, devt_from_devnum */
bool root_spec_number(const char *root, unsigned int *ret_major, unsigned int *ret_minor)
{
	unsigned long number;
	char *end, rest;

	if (sscanf(root, "%u:%u%c", ret_major, ret_minor, &rest) == 2)
		return true;
	number = strtoul(root, &end, 16);
	if (!*root || *end)
		return false;
	/* include/linux/kdev_t.h, new_decode_dev */
	*ret_major = (number & 0xfff00) >> 8;
	*ret_minor = (number & 0xff) | ((number >> 12) & 0xfff00);
	return true;
}

static bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* One that the kernel mounts by the name alone if rootfstype= says so. */
static bool has_own_name(const char *types)
{
	return types && (strcmp(types, "virtiofs") == 0 || strcmp(types, "9p") == 0);
}

enum root_kind root_spec_kind(const struct root_spec *spec)
{
	unsigned int major, minor;

	if (!spec->root || !*spec->root)
		return ROOT_UNSUPPORTED;
	if (has_own_name(spec->types))
		return ROOT_NO_DEVICE;
	if (starts_with(spec->root, "PARTUUID="))
		return ROOT_PARTUUID;
	if (starts_with(spec->root, "PARTLABEL="))
		return ROOT_PARTLABEL;
	if (starts_with(spec->root, "/dev/"))
		return strcmp(spec->root, "/dev/nfs") == 0 ||
				       strcmp(spec->root, "/dev/cifs") == 0 ||
				       starts_with(spec->root, "/dev/ram")
			       ? ROOT_UNSUPPORTED
			       : ROOT_PATH;
	return root_spec_number(spec->root, &major, &minor) ? ROOT_NUMBER : ROOT_UNSUPPORTED;
}
