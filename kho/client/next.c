/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kho/client/next.h"

int next_kernel_find(const struct settings *s, struct next_kernel *ret, char **ret_message)
{
	const struct next_kernel_wish wish = {
		.kernel = s->kernel,
		.kernel_at = s->kernel_at,
		.initrds = s->initrds,
		.command_line = s->command_line,
		.command_line_at = s->command_line_at,
		.reuse_cmdline = s->reuse_cmdline,
		.reuse_cmdline_at = s->reuse_cmdline_at,
	};

	return next_kernel_choose(&wish, ret, ret_message);
}
