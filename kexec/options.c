/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>

#include "kexec/option-table.h"
#include "kexec/options.h"
#include "kho/client/format.h"
#include "kho/client/settings.h"
#include "kho/core/cleanup.h"

/* getopt_long(3) tells long options apart by their place in the table. */
#define VALUE_BASE 256
#define SEE_HELP "see kexec --kho --help"

struct getopt_tables {
	struct option *longs;
	char shorts[2 * UCHAR_MAX];
};

static void tables_done(struct getopt_tables *t)
{
	free(t->longs);
}

static int tables_init(struct getopt_tables *t)
{
	char *letter = t->shorts;

	t->longs = calloc(n_known_options + 1, sizeof(t->longs[0]));
	if (!t->longs)
		return -ENOMEM;
	*letter++ = ':'; /* a missing argument is told from an unknown option */
	for (size_t i = 0; i < n_known_options; i++) {
		const struct known_option *known = &known_options[i];

		t->longs[i] = (struct option){
			.name = known->name,
			.has_arg = known->has_argument ? required_argument : no_argument,
			.val = VALUE_BASE + i,
		};
		if (!known->letter)
			continue;
		*letter++ = known->letter;
		if (known->has_argument)
			*letter++ = ':';
	}
	*letter = '\0';
	return 0;
}

static const struct known_option *known_from_value(int value)
{
	if (value >= VALUE_BASE)
		return &known_options[value - VALUE_BASE];
	for (size_t i = 0; i < n_known_options; i++)
		if (known_options[i].letter == value)
			return &known_options[i];
	return NULL;
}

/* The first error is the one to show. Returns -EINVAL or -ENOMEM. */
static int fail(struct kexec_options *o, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int fail(struct kexec_options *o, const char *format, ...)
{
	va_list ap;
	int r;

	if (o->error)
		return -EINVAL;
	va_start(ap, format);
	r = vasprintf(&o->error, format, ap);
	va_end(ap);
	if (r < 0) {
		o->error = NULL;
		return -ENOMEM;
	}
	return -EINVAL;
}

/* As the user may have typed it; into a buffer, since letters have no string. */
static const char *spell(const struct known_option *known, bool long_form, char buf[static 64])
{
	if (long_form)
		snprintf(buf, 64, "--%s", known->name);
	else
		snprintf(buf, 64, "-%c", known->letter);
	return buf;
}

int kexec_options_forward(struct kexec_options *o, const char *word, const char *value)
{
	char **arguments;
	char *argument;

	arguments = reallocarray(o->load_arguments, o->n_load_arguments + 2, sizeof(*arguments));
	if (!arguments)
		return -ENOMEM;
	o->load_arguments = arguments;
	if (asprintf(&argument, "%s%s%s", word, value ? "=" : "", value ?: "") < 0)
		return -ENOMEM;
	arguments[o->n_load_arguments++] = argument;
	arguments[o->n_load_arguments] = NULL;
	return 0;
}

static int parse_timeout(struct kexec_options *o, const char *text)
{
	if (parse_seconds(text, &o->timeout_usec) < 0 || o->timeout_usec == 0 ||
	    o->timeout_usec > SETTINGS_TIMEOUT_MAX)
		return fail(o,
			    "--kho-timeout takes seconds, more than 0 and at most %d, not \"%s\"",
			    (int)(SETTINGS_TIMEOUT_MAX / 1000000), text);
	return 0;
}

static int parse_digest(struct kexec_options *o, const char *text)
{
	o->has_digest_size_max = true;
	if (parse_digest_size_max(text, &o->digest_size_max) < 0)
		return fail(o, "--kho-digest takes always, never or a size as 256M, not \"%s\"",
			    text);
	return 0;
}

static int parse_transport(struct kexec_options *o, const char *text)
{
	static const char *const names[] = {"auto", "luo", "initrd", "spool"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], text) == 0) {
			o->transport = names[i];
			return 0;
		}
	return fail(o, "--kho-transport takes auto, luo, initrd or spool, not \"%s\"", text);
}

static int parse_spool(struct kexec_options *o, const char *text)
{
	if (*text != '/' && strcmp(text, "no") != 0)
		return fail(o,
			    "--kho-spool takes the absolute path of a directory, or no, not \"%s\"",
			    text);
	o->spool = text;
	return 0;
}

static int take_last_step(struct kexec_options *o, const char *kind)
{
	static const char *const kinds[] = {"kexec", "reboot", "poweroff", "halt"};

	o->actions |= ACTION_LAST_STEP;
	o->last_step = kind;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i], kind) == 0)
			return 0;
	return fail(o, "--kho-last-step takes kexec, reboot, poweroff or halt, not \"%s\"", kind);
}

static int take_option(struct kexec_options *o, const struct known_option *known, bool long_form,
		       const char *value)
{
	char buf[64];

	switch (known->role) {
	case ROLE_KHO:
		o->kho = true;
		return 0;
	case ROLE_TIMEOUT:
		return parse_timeout(o, value);
	case ROLE_DIGEST:
		return parse_digest(o, value);
	case ROLE_FORCE:
		o->force = true;
		return 0;
	case ROLE_DRY_RUN:
		o->dry_run = true;
		return 0;
	case ROLE_TRANSPORT:
		return parse_transport(o, value);
	case ROLE_SPOOL:
		return parse_spool(o, value);
	case ROLE_ENTRY:
		o->entry = value;
		return *value ? 0 : fail(o, "--entry needs the id of a boot loader entry");
	case ROLE_ACTION:
		o->actions |= known->action;
		return 0;
	case ROLE_LAST_STEP:
		return take_last_step(o, value);
	case ROLE_NO_SYNC:
		o->no_sync = true;
		return 0;
	case ROLE_INITRD:
		o->initrd = value;
		return kexec_options_forward(o, spell(known, true, buf), value);
	case ROLE_COMMAND_LINE:
		o->command_line = value;
		return kexec_options_forward(o, spell(known, true, buf), value);
	case ROLE_REUSE_CMDLINE:
		o->reuse_cmdline = true;
		return kexec_options_forward(o, spell(known, true, buf), value);
	case ROLE_FORWARD:
		return kexec_options_forward(o, spell(known, true, buf), value);
	case ROLE_IMPLIED:
		return 0;
	case ROLE_REFUSE:
		return fail(o, "%s can't be combined with --kho: %s", spell(known, long_form, buf),
			    known->reason);
	}
	return -EINVAL;
}

static int refuse_word(struct kexec_options *o, int result, char *const argv[])
{
	bool is_letter = optopt > 0 && optopt < VALUE_BASE;
	char letter[] = {'-', (char)optopt, '\0'};
	const char *word = is_letter ? letter : argv[optind - 1];

	if (result == ':')
		return fail(o, "%s needs an argument: " SEE_HELP, word);
	return fail(o, "\"%s\" is no option, or is not complete: " SEE_HELP, word);
}

/* Goes on after an error: --kho may still come, and decides whose error it is. */
static int scan(struct kexec_options *o, int argc, char **argv)
{
	_cleanup_(tables_done) struct getopt_tables tables = {};
	int value, r;

	r = tables_init(&tables);
	if (r < 0)
		return r;
	opterr = 0;
	optind = 0; /* glibc: forget what was parsed before */
	while ((value = getopt_long(argc, argv, tables.shorts, tables.longs, NULL)) != -1) {
		const struct known_option *known = NULL;

		if (value != '?' && value != ':')
			known = known_from_value(value);
		if (known)
			r = take_option(o, known, value >= VALUE_BASE, optarg);
		else
			r = refuse_word(o, value, argv);
		if (r == -ENOMEM)
			return r;
	}
	if (optind < argc)
		o->image = argv[optind];
	if (optind + 1 < argc) {
		r = fail(o, "one kernel is enough, and \"%s\" comes after \"%s\"", argv[optind + 1],
			 argv[optind]);
		if (r == -ENOMEM)
			return r;
	}
	return 0;
}

/* What makes sense word by word, and not together. */
static int check_together(struct kexec_options *o)
{
	bool load = o->actions & ACTION_LOAD;
	bool execute = o->actions & ACTION_EXECUTE;

	if (o->actions & (ACTION_HELP | ACTION_VERSION))
		return 0;
	if (o->actions == 0 && o->image)
		return fail(o, "say -l to load %s, or -l -e to load and execute it", o->image);
	if (o->actions == 0)
		return fail(o, "say what to do: -l, -e, -l -e, -u or -S; " SEE_HELP);
	if ((o->actions & (o->actions - 1)) && o->actions != (ACTION_LOAD | ACTION_EXECUTE) &&
	    o->actions != (ACTION_LOAD | ACTION_SHUTDOWN))
		return fail(o, "of -l, -e, -u and -S only -l and -e go together, and -l and "
			       "--kho-shutdown");
	if (!load && o->image)
		return fail(o, "\"%s\" goes with -l only", o->image);
	if (o->image && o->entry)
		return fail(o, "--entry=%s names a kernel already, and \"%s\" is another one",
			    o->entry, o->image);
	if (!load && o->entry)
		return fail(o, "--entry goes with -l only");
	if (!load && o->n_load_arguments > 0)
		return fail(o, "%s goes with -l only", o->load_arguments[0]);
	if (!load && o->has_digest_size_max)
		return fail(o, "--kho-digest goes with -l only");
	if (!load && (o->dry_run || o->transport || o->spool))
		return fail(o, "%s goes with -l only",
			    o->dry_run	   ? "--kho-dry-run"
			    : o->transport ? "--kho-transport"
					   : "--kho-spool");
	if (execute && o->dry_run)
		return fail(o, "--kho-dry-run shows what would be done, and -e does it: one of "
			       "them");
	if (!load && !execute && o->force)
		return fail(o, "--kho-force goes with -l and -e only");
	if (!load && !execute && o->timeout_usec)
		return fail(o, "--kho-timeout goes with -l and -e only");
	return 0;
}

int kexec_options_parse(struct kexec_options *o, int argc, char *const argv[])
{
	_cleanup_free_ char **copy = NULL; /* getopt_long(3) reorders it */
	int r;

	*o = (struct kexec_options){};
	copy = calloc(argc + 1, sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	memcpy(copy, argv, argc * sizeof(*copy));
	r = scan(o, argc, copy);
	if (r < 0)
		return r;
	if (!o->kho)
		return 0;
	if (o->error)
		return -EINVAL;
	return check_together(o);
}

void kexec_options_done(struct kexec_options *o)
{
	for (size_t i = 0; i < o->n_load_arguments; i++)
		free(o->load_arguments[i]);
	free(o->load_arguments);
	free(o->error);
	*o = (struct kexec_options){};
}

bool kexec_options_choose_copy(const struct kexec_options *o)
{
	return o->transport &&
	       (strcmp(o->transport, "initrd") == 0 || strcmp(o->transport, "spool") == 0);
}
