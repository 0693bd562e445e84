/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "kho/core/strv.h"
#include "kho/kernel/boot-entries.h"
#include "kho/kernel/next-kernel-private.h"

/* The entry's id, and where it is; from here on it is next->why that names it. */
static int name_entry(const struct boot_entry *entry, const char *reason, struct next_kernel *next)
{
	next->entry = strdup(entry->id);
	next->source = strdup(entry->path);
	if (asprintf(&next->why, "boot loader entry %s (%s), %s", entry->id, entry->path, reason) <
	    0)
		next->why = NULL;
	return next->entry && next->source && next->why ? 0 : -ENOMEM;
}

static int take_entry(const struct boot_entry *entry, struct next_kernel *next)
{
	int r = 0;

	next->image = strdup(entry->image);
	if (entry->options) {
		next->cmdline = strdup(entry->options);
		next->cmdline_from = strdup(entry->path);
		if (!next->cmdline || !next->cmdline_from)
			return -ENOMEM;
	}
	for (char **path = entry->initrds; r >= 0 && path && *path; path++)
		r = strv_append(&next->initrds, *path);
	for (char **note = entry->notes; r >= 0 && note && *note; note++)
		r = strv_appendf(&next->warnings, "%s: %s", entry->path, *note);
	return next->image ? r : -ENOMEM;
}

/* A bad one is left to who asks for it by name. */
static int use_entry(const struct boot_entry *entry, const char *reason, bool named,
		     struct next_kernel *next, char **ret_message)
{
	int r = name_entry(entry, reason, next);

	if (r < 0)
		return r;
	if (entry->problem)
		return next_kernel_fail(ret_message, -EINVAL, "%s: it %s", next->why,
					entry->problem);
	if (boot_entry_is_foreign(entry))
		return next_kernel_fail(ret_message, -EINVAL, "%s: it is for another machine (%s)",
					next->why, entry->architecture);
	if (boot_entry_is_bad(entry) && !named)
		return next_kernel_fail(
			ret_message, -EINVAL,
			"%s: it is marked as bad, having used up its tries to boot; "
			"--entry=%s takes it all the same",
			next->why, entry->id);
	return take_entry(entry, next);
}

static int list_ids(const struct boot_entries *entries, char **ret)
{
	char *list = strdup("");

	for (size_t i = 0; list && i < entries->n_entries; i++) {
		char *longer;

		if (asprintf(&longer, "%s%s%s", list, *list ? ", " : "", entries->entries[i].id) <
		    0)
			longer = NULL;
		free(list);
		list = longer;
	}
	*ret = list;
	return list ? 0 : -ENOMEM;
}

static int choose_named(const struct boot_entries *entries, const struct next_kernel_wish *wish,
			struct next_kernel *next, char **ret_message)
{
	const struct boot_entry *entry = boot_entries_find(entries, wish->entry);
	_cleanup_free_ char *ids = NULL, *reason = NULL;

	if (!entry) {
		if (list_ids(entries, &ids) < 0)
			return -ENOMEM;
		return next_kernel_fail(ret_message, -ENOENT,
					"%s: there is no boot loader entry \"%s\"; there %s %s",
					wish->entry_at, wish->entry,
					entries->n_entries == 1 ? "is" : "are",
					*ids ? ids : "none at all");
	}
	if (asprintf(&reason, "by %s", wish->entry_at) < 0) {
		reason = NULL;
		return -ENOMEM;
	}
	return use_entry(entry, reason, true, next, ret_message);
}

int next_kernel_from_entry(int root_fd, const struct next_kernel_wish *wish,
			   struct next_kernel *next, char **ret_message)
{
	_cleanup_(boot_entries_done) struct boot_entries entries = {};
	const struct boot_entry *entry;
	_cleanup_free_ char *reason = NULL;
	int r = boot_entries_read(root_fd, &entries);

	next->warnings = TAKE_PTR(entries.warnings);
	if (r < 0)
		return r;
	if (wish->entry)
		r = choose_named(&entries, wish, next, ret_message);
	else {
		r = boot_entries_default(root_fd, &entries, &entry, &reason);
		if (r < 0 || !entry)
			return r;
		r = use_entry(entry, reason, false, next, ret_message);
	}
	return r < 0 ? r : 1;
}
