/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "kexec/verify.h"
#include "kho/kernel/check.h"

/*
 * All that keeps it from being in place, as one line; NULL: out of memory. What is not known
 * matters only if nothing is known to.
 */
static char *objections(const struct verdict *verdict)
{
	enum finding_weight least =
		verdict->kind == VERDICT_UNKNOWN ? FINDING_UNKNOWN : FINDING_COPY;
	char *line = strdup("");

	for (size_t i = 0; line && i < verdict->n_findings; i++) {
		const struct finding *finding = &verdict->findings[i];
		char *longer;

		if (finding->weight < least)
			continue;
		if (asprintf(&longer, "%s%s%s", line, *line ? "; " : "", finding->text) < 0)
			longer = NULL;
		free(line);
		line = longer;
	}
	return line;
}

static bool has_topic(const struct verdict *verdict, const char *topic, enum finding_weight least,
		      enum finding_weight most)
{
	for (size_t i = 0; i < verdict->n_findings; i++) {
		const struct finding *finding = &verdict->findings[i];

		if (strcmp(finding->topic, topic) == 0 && finding->weight >= least &&
		    finding->weight <= most)
			return true;
	}
	return false;
}

/* What the kernel itself keeps, for reserve_mem=, is nothing that could be copied. */
static bool loses_reserved(const struct verdict *verdict)
{
	return has_topic(verdict, "memblock", FINDING_FINE, FINDING_NO);
}

/*
 * A kernel that takes over what KHO hands it, and then finds a LUO that it does not know, panics
 * (kernel/liveupdate/luo_core.c, luo_early_startup), whether there is a session or not.
 */
static bool would_panic(const struct verdict *verdict)
{
	static const char *const parts[] = {"LUO", "LUO sessions", "LUO FLB"};

	if (has_topic(verdict, "KHO", FINDING_COPY, FINDING_NO))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (has_topic(verdict, parts[i], FINDING_UNKNOWN, FINDING_NO))
			return true;
	return false;
}

/* Memory can't stay in place, and need not. */
static enum exit_code go_by_copy(struct run *run, struct staged *staged,
				 const struct verdict *verdict, const char *why)
{
	run->by_copy = staged->by_copy = true;
	if (would_panic(verdict) && staged_load_plainly(staged) < 0)
		return complain(run, EXIT_LOCAL, "out of memory");
	fprintf(stderr, "kexec: memory can't stay in place, and goes by copy: %s\n", why);
	return EXIT_DONE;
}

/*
 * Sessions of others are not khod's to copy: what they hold is lost by whoever says so himself,
 * and by nobody else.
 */
static enum exit_code judge_sessions(struct run *run, const struct verdict *verdict,
				     const char *why)
{
	bool chosen = kexec_options_choose_copy(run->options);

	for (size_t i = 0; i < verdict->n_findings; i++) {
		const struct finding *finding = &verdict->findings[i];

		if (strcmp(finding->topic, "session") != 0)
			continue;
		if (!chosen)
			return complain(
				run, EXIT_REFUSED,
				"nothing has changed: memory can't stay in place (%s), and a "
				"copy would lose what another program hands over: session "
				"%s; end that, or go without it by --kho-transport=initrd "
				"or spool",
				why, finding->text);
		complain(run, EXIT_DONE, "warning: lost, as it is not copied: session %s",
			 finding->text);
	}
	return EXIT_DONE;
}

static bool may_copy(const struct run *run, const struct verdict *verdict)
{
	const char *transport = run->options->transport;

	return verdict->kind != VERDICT_NO && !loses_reserved(verdict) &&
	       (!transport || strcmp(transport, "luo") != 0);
}

static enum exit_code judge(struct run *run, struct staged *staged, const struct checked *checked)
{
	const char *from = run->options->command_line_from;
	_cleanup_free_ char *why = NULL;

	if (checked->verdict->kind == VERDICT_IN_PLACE)
		return EXIT_DONE;
	why = objections(checked->verdict);
	if (!why)
		return complain(run, EXIT_LOCAL, "out of memory");
	if (!run->options->force && may_copy(run, checked->verdict)) {
		enum exit_code r = judge_sessions(run, checked->verdict, why);

		return r == EXIT_DONE ? go_by_copy(run, staged, checked->verdict, why) : r;
	}
	if (run->options->force) {
		run->forced = true;
		return complain(run, EXIT_DONE, "warning: %s: forced, although %s",
				checked->image->path, why);
	}
	return complain(run, EXIT_REFUSED,
			"%s: memory would not survive there, and nothing has changed: %s "
			"(%s%s%s--kho-force goes on all the same)",
			checked->image->path, why, from ? "the command line is that of " : "",
			from ?: "", from ? "; " : "");
}

/*
 * It takes a while, and while nothing has been touched there is nothing to be undone: then signals
 * end the process at once, as they usually do.
 */
static int check_interruptibly(struct run *run, const char *image,
			       const struct check_options *options, struct checked *ret,
			       char **ret_message)
{
	_cleanup_(check_done) struct check check = {};
	int r;

	sigprocmask(SIG_UNBLOCK, &run->signals, NULL);
	r = check_begin(&check);
	if (r >= 0)
		r = check_image(&check, image, options, ret, ret_message);
	sigprocmask(SIG_BLOCK, &run->signals, NULL);
	return r;
}

enum exit_code run_verify(struct run *run, struct staged *staged)
{
	const struct kexec_options *o = run->options;
	const struct check_options options = {.initrd = o->initrd,
					      .command_line = o->command_line,
					      .reuse_cmdline = o->reuse_cmdline};
	_cleanup_(checked_done) struct checked checked = {};
	_cleanup_free_ char *error = NULL;
	int r = check_interruptibly(run, staged->image.path, &options, &checked, &error);

	/* kexec-tools passes on what it is given, and nothing of the image's own. */
	if (r >= 0 && checked.cmdline_source == CMDLINE_OF_IMAGE)
		r = staged_set_cmdline(staged, checked.cmdline);
	if (r < 0)
		return complain(run, EXIT_LOCAL, "%s", error ?: strerror(-r));
	return judge(run, staged, &checked);
}
