/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>

#include "kho/client/next.h"
#include "kho/kernel/boot-entries.h"

int next_kernel_find(const struct settings *settings, const char *entry, struct next_kernel *ret,
		     char **ret_message)
{
	static const struct settings none;
	const struct settings *s = settings ?: &none;
	const struct next_kernel_wish by_settings = {
		.entry = s->entry,
		.entry_at = s->entry_at,
		.kernel = s->kernel,
		.kernel_at = s->kernel_at,
		.initrds = s->initrds,
		.command_line = s->command_line,
		.command_line_at = s->command_line_at,
		.reuse_cmdline = s->reuse_cmdline,
		.reuse_cmdline_at = s->reuse_cmdline_at,
	};
	const struct next_kernel_wish by_entry = {.entry = entry, .entry_at = "--entry="};

	return next_kernel_choose(entry ? &by_entry : &by_settings, ret, ret_message);
}

int next_kernel_print_entries(FILE *f)
{
	_cleanup_close_ int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(boot_entries_done) struct boot_entries entries = {};
	int r = root_fd < 0 ? -errno : boot_entries_read(root_fd, &entries);

	for (size_t i = 0; i < entries.n_entries; i++)
		fprintf(f, "%s\n", entries.entries[i].id);
	return r;
}
