/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fnmatch.h>
#include <string.h>

#include "kho/kernel/boot-entries.h"
#include "kho/kernel/efi-variable.h"
#include "kho/kernel/file.h"

#define GRUBENV_MAX 65536

const struct boot_entry *boot_entries_find(const struct boot_entries *entries, const char *id)
{
	for (size_t i = 0; i < entries->n_entries; i++)
		if (strcmp(entries->entries[i].id, id) == 0)
			return &entries->entries[i];
	for (size_t i = 0; i < entries->n_entries; i++)
		if (strcasecmp(entries->entries[i].id, id) == 0)
			return &entries->entries[i];
	return NULL;
}

/* What is set, NULL if nothing is or it is no id. */
static int variable(int root_fd, const char *name, char **ret)
{
	int r = efi_loader_string(root_fd, name, ret);

	return r == -ENOMEM ? r : 0;
}

static const struct boot_entry *match(const struct boot_entries *entries, const char *pattern,
				      bool also_bad)
{
	for (size_t i = 0; i < entries->n_entries; i++) {
		const struct boot_entry *entry = &entries->entries[i];

		if (!boot_entry_is_foreign(entry) && (also_bad || !boot_entry_is_bad(entry)) &&
		    fnmatch(pattern, entry->id, FNM_CASEFOLD) == 0)
			return entry;
	}
	return NULL;
}

/* "@saved" is the one that was started last. */
static int find(int root_fd, const struct boot_entries *entries, const char *pattern, bool also_bad,
		const struct boot_entry **ret)
{
	_cleanup_free_ char *saved = NULL;
	int r = 0;

	*ret = NULL;
	if (!pattern)
		return 0;
	if (strcasecmp(pattern, "@saved") == 0) {
		r = variable(root_fd, "LoaderEntryLastBooted", &saved);
		if (r >= 0 && !saved)
			r = variable(root_fd, "LoaderEntrySelected", &saved);
		pattern = saved;
	}
	if (r >= 0 && pattern)
		*ret = match(entries, pattern, also_bad);
	return r;
}

static int by_variable(int root_fd, const struct boot_entries *entries, const char *name,
		       bool also_bad, const struct boot_entry **ret, char **ret_why)
{
	_cleanup_free_ char *pattern = NULL;
	int r = variable(root_fd, name, &pattern);

	if (r >= 0)
		r = find(root_fd, entries, pattern, also_bad, ret);
	if (r >= 0 && *ret && asprintf(ret_why, "by the EFI variable %s", name) < 0)
		r = -ENOMEM;
	return r;
}

static int by_loader_conf(int root_fd, const struct boot_entries *entries, bool preferred,
			  const struct boot_entry **ret, char **ret_why)
{
	const char *pattern = preferred ? entries->preferred_pattern : entries->default_pattern;
	int r = find(root_fd, entries, pattern, !preferred, ret);

	if (r >= 0 && *ret &&
	    asprintf(ret_why, "%s in %s", preferred ? "preferred" : "the default",
		     entries->loader_conf) < 0)
		r = -ENOMEM;
	return r;
}

/* An entry's name there is its id without the suffix. */
static const struct boot_entry *find_in_grubenv(const struct boot_entries *entries, char *text,
						const char *variable)
{
	char *line, *save;

	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		size_t length = strlen(variable);

		if (strncmp(line, variable, length) != 0 || line[length] != '=')
			continue;
		for (size_t i = 0; i < entries->n_entries; i++) {
			const struct boot_entry *entry = &entries->entries[i];
			const char *value = line + length + 1, *suffix = strrchr(entry->id, '.');

			if (strlen(value) == (size_t)(suffix - entry->id) &&
			    strncmp(value, entry->id, strlen(value)) == 0 &&
			    !boot_entry_is_foreign(entry))
				return entry;
		}
	}
	return NULL;
}

/* GRUB reads the files of type 1 too, and keeps what to boot in a file of its own. */
static int by_grubenv(int root_fd, const struct boot_entries *entries,
		      const struct boot_entry **ret, char **ret_why)
{
	static const char *const files[] = {"/boot/grub2/grubenv", "/boot/grub/grubenv"};
	static const char *const variables[] = {"next_entry", "saved_entry"};

	for (size_t i = 0; i < ARRAY_SIZE(files) * ARRAY_SIZE(variables); i++) {
		const char *file = files[i / ARRAY_SIZE(variables)];
		const char *variable = variables[i % ARRAY_SIZE(variables)];
		_cleanup_free_ char *text = NULL;
		int r = read_file_at(root_fd, file + 1, GRUBENV_MAX, &text, NULL);

		if (r == -ENOMEM)
			return r;
		*ret = r < 0 ? NULL : find_in_grubenv(entries, text, variable);
		if (!*ret)
			continue;
		if (asprintf(ret_why, "%s in %s", variable, file) < 0)
			return -ENOMEM;
		return 0;
	}
	return 0;
}

static int first(const struct boot_entries *entries, const struct boot_entry **ret, char **ret_why)
{
	*ret = match(entries, "*", true);
	if (!*ret)
		return 0;
	*ret_why = strdup("the first in the boot loader's order");
	return *ret_why ? 0 : -ENOMEM;
}

int boot_entries_default(int root_fd, const struct boot_entries *entries,
			 const struct boot_entry **ret, char **ret_why)
{
	int r;

	*ret = NULL;
	*ret_why = NULL;
	r = by_variable(root_fd, entries, "LoaderEntryOneShot", true, ret, ret_why);
	if (r >= 0 && !*ret)
		r = by_variable(root_fd, entries, "LoaderEntryPreferred", false, ret, ret_why);
	if (r >= 0 && !*ret)
		r = by_loader_conf(root_fd, entries, true, ret, ret_why);
	if (r >= 0 && !*ret)
		r = by_variable(root_fd, entries, "LoaderEntryDefault", true, ret, ret_why);
	if (r >= 0 && !*ret)
		r = by_loader_conf(root_fd, entries, false, ret, ret_why);
	if (r >= 0 && !*ret && !entries->loader_conf)
		r = by_grubenv(root_fd, entries, ret, ret_why);
	if (r >= 0 && !*ret)
		r = first(entries, ret, ret_why);
	return r;
}
