/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <limits.h>
#include <string.h>

#include "kho/core/strv.h"
#include "kho/kernel/boot-entry-private.h"
#include "kho/kernel/version-order.h"

#define DIGITS "0123456789"
#define ID_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "+-_.@"

/* "NAME+LEFT.conf" and "NAME+LEFT-DONE.conf", systemd-boot's boot counting. */
static bool split_tries(const char *name, const char *dot, const char **ret_plus, int *ret_left,
			int *ret_done)
{
	const char *plus = memrchr(name, '+', (size_t)(dot - name));
	long left, done = -1;
	char *end;

	if (!plus || strspn(plus + 1, DIGITS) == 0)
		return false;
	left = strtol(plus + 1, &end, 10);
	if (*end == '-' && strspn(end + 1, DIGITS) > 0)
		done = strtol(end + 1, &end, 10);
	if (end != dot || left > INT_MAX || done > INT_MAX)
		return false;
	*ret_plus = plus;
	*ret_left = (int)left;
	*ret_done = (int)done;
	return true;
}

int boot_entry_init(struct boot_entry *entry, const char *root, const char *folder,
		    const char *name, const char *suffix)
{
	const char *dot = strrchr(name, '.'), *end = dot;

	*entry = (struct boot_entry){.tries_left = -1, .tries_done = -1};
	if (!dot || dot == name || strcasecmp(dot, suffix) != 0 || strlen(name) > NAME_MAX ||
	    name[strspn(name, ID_CHARACTERS)])
		return -EINVAL;
	split_tries(name, dot, &end, &entry->tries_left, &entry->tries_done);
	if (asprintf(&entry->id, "%.*s%s", (int)(end - name), name, dot) < 0)
		entry->id = NULL;
	if (asprintf(&entry->path, "%s/%s/%s", root, folder, name) < 0)
		entry->path = NULL;
	entry->root = strdup(root);
	return entry->id && entry->path && entry->root ? 0 : -ENOMEM;
}

void boot_entry_done(struct boot_entry *entry)
{
	free(entry->id);
	free(entry->path);
	free(entry->root);
	free(entry->sort_key);
	free(entry->machine_id);
	free(entry->version);
	free(entry->architecture);
	free(entry->image);
	strv_free(entry->initrds);
	free(entry->options);
	free(entry->problem);
	strv_free(entry->notes);
	*entry = (struct boot_entry){};
}

bool boot_entry_is_foreign(const struct boot_entry *entry)
{
	/* UEFI's names, as in BOOTX64.EFI */
#if defined(__x86_64__)
	static const char here[] = "x64";
#elif defined(__aarch64__)
	static const char here[] = "aa64";
#else
	static const char here[] = "";
#endif

	return entry->architecture && strcasecmp(entry->architecture, here) != 0;
}

static int compare_strings(const char *a, const char *b)
{
	return !a || !b ? !!a - !!b : strcmp(a, b);
}

/* By the Boot Loader Specification, and systemd-boot where that leaves it open: newer ones first.
 */
int boot_entry_compare(const void *first, const void *second)
{
	const struct boot_entry *a = first, *b = second;
	int r = boot_entry_is_bad(a) - boot_entry_is_bad(b);

	if (r == 0)
		r = !a->sort_key - !b->sort_key;
	if (r == 0 && a->sort_key) {
		r = strcmp(a->sort_key, b->sort_key);
		if (r == 0)
			r = compare_strings(a->machine_id, b->machine_id);
		if (r == 0)
			r = -version_compare(a->version, b->version);
	}
	if (r == 0)
		r = -version_compare(a->id, b->id);
	if (r == 0)
		r = (b->tries_left > a->tries_left) - (b->tries_left < a->tries_left);
	if (r == 0)
		r = (a->tries_done > b->tries_done) - (a->tries_done < b->tries_done);
	return r != 0 ? r : strcmp(a->path, b->path);
}
