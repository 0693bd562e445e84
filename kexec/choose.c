/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "kexec/choose.h"
#include "kexec/initrd-join.h"
#include "kho/core/strv.h"

static void apply_settings(const struct settings *settings, struct kexec_options *o)
{
	if (o->actions & ACTION_LOAD) {
		o->transport = o->transport ?: settings->transport;
		o->spool = o->spool ?: settings->spool;
	}
	if (o->timeout_usec == 0)
		o->timeout_usec = settings->timeout_usec;
	if (!o->has_digest_size_max && settings->digest.set) {
		o->has_digest_size_max = true;
		o->digest_size_max = settings->digest.size_max;
	}
}

static enum exit_code use_initrds(struct run *run, struct kexec_options *o, struct choice *choice)
{
	char **initrds = choice->next.initrds;
	_cleanup_free_ char *error = NULL;
	int r = 0;

	if (o->initrd || !initrds)
		return EXIT_DONE;
	o->initrd = initrds[0];
	if (strv_length(initrds) > 1) {
		r = initrd_join(initrds, &choice->joined, &error);
		o->initrd = choice->joined;
	}
	if (r >= 0)
		r = kexec_options_forward(o, "--initrd", o->initrd);
	if (r < 0)
		return complain(run, EXIT_LOCAL, "the initrds can't be put together: %s",
				error ?: strerror(-r));
	return EXIT_DONE;
}

static enum exit_code use_cmdline(struct run *run, struct kexec_options *o,
				  const struct next_kernel *next)
{
	if (o->command_line || o->reuse_cmdline)
		return EXIT_DONE;
	o->command_line_from = next->cmdline_from;
	if (!next->cmdline)
		return EXIT_DONE;
	o->command_line = next->cmdline;
	if (kexec_options_forward(o, "--command-line", next->cmdline) < 0)
		return complain(run, EXIT_LOCAL, "out of memory");
	return EXIT_DONE;
}

static enum exit_code use_next(struct run *run, struct kexec_options *o, struct choice *choice)
{
	const struct next_kernel *next = &choice->next;
	enum exit_code r;

	complain(run, EXIT_DONE, "next comes %s%s%s: %s", next->release ?: "",
		 next->release ? ", " : "", next->image, next->why);
	o->image = next->image;
	r = use_initrds(run, o, choice);
	if (r == EXIT_DONE)
		r = use_cmdline(run, o, next);
	return r;
}

enum exit_code run_choose(struct run *run, struct kexec_options *o, struct choice *ret)
{
	_cleanup_free_ char *error = NULL;
	int r;

	*ret = (struct choice){};
	if (!(o->actions & (ACTION_LOAD | ACTION_EXECUTE)))
		return EXIT_DONE;
	r = settings_read(&ret->settings, &error);
	show_warnings(run, ret->settings.warnings);
	if (r >= 0) {
		apply_settings(&ret->settings, o);
		if (!(o->actions & ACTION_LOAD) || o->image)
			return EXIT_DONE;
		r = next_kernel_find(o->as_systemctl ? NULL : &ret->settings, o->entry, &ret->next,
				     &error);
		show_warnings(run, ret->next.warnings);
	}
	if (r < 0)
		return complain(run, EXIT_LOCAL, "%s", error ?: strerror(-r));
	return use_next(run, o, ret);
}

void choice_settle(const struct choice *choice, bool staged)
{
	if (staged)
		initrd_join_remove(choice->joined);
	else if (choice->joined)
		(void)unlink(choice->joined);
}

void choice_done(struct choice *choice)
{
	settings_done(&choice->settings);
	next_kernel_done(&choice->next);
	free(choice->joined);
}
