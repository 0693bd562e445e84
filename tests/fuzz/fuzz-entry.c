/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "kho/client/settings.h"
#include "kho/core/strv.h"
#include "kho/core/text.h"
#include "kho/kernel/boot-entries.h"
#include "kho/kernel/next-kernel.h"
#include "kho/kernel/version-order.h"

/* What the input stands for, all at once. */
static const char *const files[] = {
	"boot/loader/entries/one.conf",
	"boot/loader/entries/two+1.conf",
	"boot/loader/loader.conf",
	"boot/EFI/Linux/three.efi",
	"boot/grub2/grubenv",
	"sys/firmware/efi/efivars/LoaderEntryDefault-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f",
	"etc/kho/live-update.conf",
};

static void require(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "fuzz-entry: %s\n", what);
	abort();
}

static void write_below(int root, const char *path, const uint8_t *data, size_t size)
{
	_cleanup_close_ int fd = -EBADF;
	char parent[256];

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
		(void)mkdirat(root, parent, 0700);
	}
	fd = openat(root, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	require(fd >= 0 && write(fd, data, size) == (ssize_t)size, "no room for the input");
}

static void remove_below(int root)
{
	char parent[256];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char *slash;

		(void)unlinkat(root, files[i], 0);
		snprintf(parent, sizeof(parent), "%s", files[i]);
		while ((slash = strrchr(parent, '/'))) {
			*slash = '\0';
			(void)unlinkat(root, parent, AT_REMOVEDIR);
		}
	}
}

static void check_lines(char *const *lines)
{
	for (; lines && *lines; lines++)
		require(text_is_printable(*lines, strlen(*lines)), "a line can't be shown");
}

static void check_path(const struct boot_entry *entry, const char *path)
{
	require(strncmp(path, "/boot/", 6) == 0, "a path leads elsewhere");
	require(!strstr(path, "/../") && !strstr(path, "/./"), "a path is not plain");
	require(strlen(path) < 3 || strcmp(path + strlen(path) - 3, "/..") != 0, "a path leads up");
	require(!!entry->id, "an entry has no id");
}

static void check_entry(const struct boot_entry *entry)
{
	if (entry->image)
		check_path(entry, entry->image);
	for (char **path = entry->initrds; path && *path; path++)
		check_path(entry, *path);
	require(entry->image || entry->problem, "an entry without a kernel has no problem");
	require(!entry->problem || text_is_printable(entry->problem, strlen(entry->problem)),
		"a problem can't be shown");
	require(version_compare(entry->version, entry->version) == 0, "not the same as itself");
	check_lines(entry->notes);
}

static void check_entries(int root)
{
	_cleanup_(boot_entries_done) struct boot_entries entries = {};
	const struct boot_entry *chosen;
	_cleanup_free_ char *why = NULL;

	require(boot_entries_read(root, &entries) == 0, "entries can't be read");
	for (size_t i = 0; i < entries.n_entries; i++) {
		check_entry(&entries.entries[i]);
		require(i == 0 || boot_entry_compare(&entries.entries[i - 1], &entries.entries[i]) <
					  0,
			"entries are not in order");
	}
	check_lines(entries.warnings);
	require(boot_entries_default(root, &entries, &chosen, &why) == 0, "no choice");
	require(!chosen || why, "chosen without a reason");
}

static void check_settings(int root)
{
	_cleanup_(settings_done) struct settings settings = {};
	_cleanup_free_ char *message = NULL;
	int r = settings_read_at(root, &settings, &message);

	require(r == 0 || message, "refused without a word");
	if (message)
		require(text_is_printable(message, strlen(message)), "a message can't be shown");
	check_lines(settings.warnings);
	require(r < 0 || !settings.kernel || *settings.kernel == '/', "Kernel= is no path");
	require(r < 0 || !settings.kernel || !settings.entry, "both Kernel= and Entry=");
}

/* A command line less the loader's words has nothing new, and nothing more to lose. */
static void check_cmdline(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = strndup((const char *)data, size), *once = NULL, *twice = NULL;

	once = cmdline_without_loader(text);
	twice = once ? cmdline_without_loader(once) : NULL;
	require(once && twice && strlen(once) <= strlen(text), "a command line grew");
	require(strcmp(once, twice) == 0, "a command line is not at rest");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[] = "/tmp/kho-fuzz-XXXXXX";
	_cleanup_close_ int root = -EBADF;

	require(!!mkdtemp(path), "no directory");
	root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	require(root >= 0, "no directory");
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		write_below(root, files[i], data, size);
	check_entries(root);
	check_settings(root);
	check_cmdline(data, size);
	remove_below(root);
	require(rmdir(path) == 0, "something is left");
	return 0;
}
