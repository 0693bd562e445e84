/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "kexec/options.h"
#include "kho/core/cleanup.h"

#define ARGUMENTS_MAX 16

/* "kexec", and then the words of line; a word "''" is empty. */
static int parse(struct kexec_options *o, const char *line)
{
	static char copy[512]; /* options point into it */
	char *argv[ARGUMENTS_MAX] = {(char *)"kexec"};
	char *before[ARGUMENTS_MAX];
	char *rest = copy, *word;
	int argc = 1, r;

	assert_true(strlen(line) < sizeof(copy));
	strcpy(copy, line);
	while ((word = strsep(&rest, " ")) && *word) {
		assert_true(argc < ARGUMENTS_MAX - 1);
		argv[argc++] = strcmp(word, "''") == 0 ? (char *)"" : word;
	}
	memcpy(before, argv, sizeof(before));
	r = kexec_options_parse(o, argc, argv);
	/* The distribution's kexec gets exactly what was typed, in the order it was typed in. */
	assert_memory_equal(argv, before, sizeof(before));
	return r;
}

static void assert_ours(const char *line, bool ours)
{
	struct kexec_options o;

	parse(&o, line);
	if (o.kho != ours)
		fail_msg("\"%s\" is %sours", line, o.kho ? "" : "not ");
	kexec_options_done(&o);
}

static void assert_refused(const char *line, const char *words)
{
	struct kexec_options o;

	if (parse(&o, line) != -EINVAL || !o.error)
		fail_msg("\"%s\" is not refused", line);
	if (!strstr(o.error, words))
		fail_msg("\"%s\": \"%s\" does not speak of \"%s\"", line, o.error, words);
	assert_null(strchr(o.error, '\n'));
	kexec_options_done(&o);
}

static void assert_parses(struct kexec_options *o, const char *line, unsigned int actions)
{
	int r = parse(o, line);

	if (r != 0)
		fail_msg("\"%s\": %s", line, o->error ?: "no memory");
	assert_true(o->kho);
	assert_int_equal(o->actions, actions);
}

static void assert_forwarded(const struct kexec_options *o, const char *line)
{
	char joined[512] = "";

	for (size_t i = 0; i < o->n_load_arguments; i++) {
		strcat(joined, i == 0 ? "" : " ");
		strcat(joined, o->load_arguments[i]);
	}
	assert_string_equal(joined, line);
	if (o->n_load_arguments > 0)
		assert_null(o->load_arguments[o->n_load_arguments]);
}

static void test_whose_it_is(void **state)
{
	assert_ours("", false);
	assert_ours("-l /boot/vmlinuz --reuse-cmdline", false);
	assert_ours("--kho", true);
	assert_ours("--kho -l /boot/vmlinuz", true);
	assert_ours("-l /boot/vmlinuz --kho", true); /* options may follow the kernel */
	assert_ours("-l --kho /boot/vmlinuz", true); /* -l has no argument of its own */
	assert_ours("-p --kho /boot/vmlinuz", true);
}

static void test_arguments_of_others(void **state)
{
	assert_ours("-l /boot/vmlinuz --append --kho", false);
	assert_ours("-l /boot/vmlinuz --append=--kho", false);
	assert_ours("-l /boot/vmlinuz --append x --kho", true);
	assert_ours("-l /boot/vmlinuz --append= --kho", true);
	assert_ours("-l /boot/vmlinuz --command-line --kho", false);
	assert_ours("-l /boot/vmlinuz --initrd --kho", false);
	assert_ours("-l /boot/vmlinuz --ramdisk --kho", false);
	assert_ours("-l /boot/vmlinuz --dtb --kho", false);
	assert_ours("-l /boot/vmlinuz --mem-min --kho", false);
	assert_ours("-l /boot/vmlinuz --entry --kho", false);
	assert_ours("-l /boot/vmlinuz --type --kho", false);
	assert_ours("-l /boot/vmlinuz --reuse-cmdline --kho", true);
	assert_ours("-- --kho", false);
	assert_ours("-l -- --kho", false);
	assert_ours("-l --append -- --kho", true); /* "--" is what is appended */
}

static void test_abbreviations(void **state)
{
	assert_ours("-l /boot/vmlinuz --app --kho", false);
	assert_ours("-l /boot/vmlinuz --comm --kho", false);
	assert_ours("-l /boot/vmlinuz --init --kho", false);
	assert_ours("-l /boot/vmlinuz --reuse-c --kho", true);
	/* More than one fits, so it takes nothing. */
	assert_ours("-l /boot/vmlinuz --mem --kho", true);
	/* What the distribution's kexec has to refuse stays its own. */
	assert_ours("--k", false);
	assert_ours("--kh", false);
	assert_ours("--kho=yes", false);
	assert_ours("--kho-timeout=3", false);
	assert_ours("-kho", false);
	assert_ours("--khoo", false);
	assert_ours("--KHO", false);
}

static void test_clusters(void **state)
{
	assert_ours("-t --kho", false);
	assert_ours("-lt --kho /boot/vmlinuz", false);
	assert_ours("-ltbzImage --kho /boot/vmlinuz", true);
	assert_ours("-ls --kho /boot/vmlinuz", true);
	assert_ours("-tl --kho /boot/vmlinuz", true); /* "l" is the type */
	assert_ours("-Zt --kho", false);	      /* an unknown letter in front */
	assert_ours("-l- --kho", true);
	assert_ours("-?t --kho", false);
}

static void test_unknown_options(void **state)
{
	assert_ours("--no-such-option --kho", true);
	assert_ours("--no-such-option=x --kho", true);
	assert_ours("-l --help=x --kho", true);
	assert_refused("--no-such-option --kho -e", "--no-such-option");
	assert_refused("--kho -Z -e", "\"-Z\"");
	assert_refused("--kho -eZ", "\"-Z\"");
	assert_refused("--kho -e --force=x", "--force=x");
	assert_refused("--kho -l k --append", "--append needs an argument");
	assert_refused("--kho -l k -t", "-t needs an argument");
	/* The first error counts. */
	assert_refused("--kho -Z --append", "\"-Z\"");
}

static void test_posixly_correct(void **state)
{
	setenv("POSIXLY_CORRECT", "1", true);
	assert_ours("-l /boot/vmlinuz --kho", false);
	assert_ours("-l --kho /boot/vmlinuz", true);
	unsetenv("POSIXLY_CORRECT");
}

static void test_actions(void **state)
{
	struct kexec_options o;

	assert_parses(&o, "--kho -l k", ACTION_LOAD);
	assert_string_equal(o.image, "k");
	kexec_options_done(&o);
	assert_parses(&o, "--kho -l", ACTION_LOAD);
	assert_null(o.image);
	assert_null(o.entry);
	kexec_options_done(&o);
	assert_parses(&o, "--kho -l --entry=a.conf", ACTION_LOAD);
	assert_string_equal(o.entry, "a.conf");
	assert_int_equal(o.n_load_arguments, 0);
	kexec_options_done(&o);
	assert_parses(&o, "--kho -le k", ACTION_LOAD | ACTION_EXECUTE);
	kexec_options_done(&o);
	assert_parses(&o, "--kho --exec --load k", ACTION_LOAD | ACTION_EXECUTE);
	kexec_options_done(&o);
	assert_parses(&o, "--kho -l --kho-shutdown", ACTION_LOAD | ACTION_SHUTDOWN);
	kexec_options_done(&o);
	assert_parses(&o, "--kho --kho-last-step=poweroff", ACTION_LAST_STEP);
	assert_string_equal(o.last_step, "poweroff");
	kexec_options_done(&o);
	assert_parses(&o, "-e --kho", ACTION_EXECUTE);
	assert_null(o.image);
	assert_false(o.no_sync);
	kexec_options_done(&o);
	assert_parses(&o, "-exy --kho", ACTION_EXECUTE);
	assert_true(o.no_sync);
	kexec_options_done(&o);
	assert_parses(&o, "--kho -u", ACTION_UNLOAD);
	kexec_options_done(&o);
	assert_parses(&o, "--kho --status", ACTION_STATUS);
	kexec_options_done(&o);
	assert_parses(&o, "--kho -hv", ACTION_HELP | ACTION_VERSION);
	kexec_options_done(&o);
}

static void test_action_mistakes(void **state)
{
	assert_refused("--kho", "say what to do");
	assert_refused("--kho k", "say -l to load k");
	assert_refused("--kho -l k k2", "\"k2\" comes after \"k\"");
	assert_refused("--kho -e k", "\"k\" goes with -l");
	assert_refused("--kho -e --entry=a.conf", "--entry goes with -l");
	assert_refused("--kho -l --entry=a.conf k", "names a kernel already");
	assert_refused("--kho -l --entry=", "--entry needs");
	assert_refused("--kho -e --append=x", "--append=x goes with -l");
	assert_refused("--kho -u -e", "go together");
	assert_refused("--kho -S -l k", "go together");
	assert_refused("--kho -e --kho-shutdown", "only -l and -e");
	assert_refused("--kho --kho-shutdown --append=x", "--append=x goes with -l");
	assert_refused("--kho --kho-last-step=nap", "not \"nap\"");
	assert_refused("--kho -u --kho-timeout=3", "--kho-timeout goes with");
	assert_refused("--kho -e --kho-digest=never", "--kho-digest goes with");
	assert_refused("--kho -e --kho-transport=luo", "--kho-transport goes with");
	assert_refused("--kho -u --kho-spool=/srv", "--kho-spool goes with");
	assert_refused("--kho -S --kho-dry-run", "--kho-dry-run goes with");
	assert_refused("--kho -l -e k --kho-dry-run", "one of them");
	assert_refused("--kho -S --kho-force", "--kho-force goes with");
}

static void test_what_is_forwarded(void **state)
{
	struct kexec_options o;

	assert_parses(&o, "--kho -d -s -x -l k --initrd i --append a=1 --reuse-c -tbzImage",
		      ACTION_LOAD);
	assert_forwarded(&o, "--debug --initrd=i --append=a=1 --reuse-cmdline --type=bzImage");
	assert_string_equal(o.initrd, "i");
	assert_string_equal(o.command_line, "a=1");
	assert_true(o.reuse_cmdline && !o.force);
	kexec_options_done(&o);
	assert_parses(&o, "--kho -l k --command-line=a --append=b --kho-force", ACTION_LOAD);
	assert_forwarded(&o, "--command-line=a --append=b");
	assert_string_equal(o.command_line, "b"); /* to kexec-tools both are the same option */
	assert_true(o.force && !o.reuse_cmdline);
	kexec_options_done(&o);
	assert_parses(&o, "--kho -l k --append '' --initrd=a --ramdisk=b", ACTION_LOAD);
	assert_forwarded(&o, "--append= --initrd=a --ramdisk=b");
	assert_string_equal(o.initrd, "b"); /* kexec-tools takes the last one */
	kexec_options_done(&o);
	assert_parses(&o, "--kho -l -- -k", ACTION_LOAD);
	assert_forwarded(&o, "");
	assert_string_equal(o.image, "-k");
	kexec_options_done(&o);
}

static void test_what_is_refused(void **state)
{
	assert_refused("--kho -c -l k", "-c can't");
	assert_refused("--kho -lc k", "kexec_load");
	assert_refused("--kho -a -l k", "falls back");
	assert_refused("--kho -p k", "crash");
	assert_refused("--kho -f k", "-l -e");
	assert_refused("--kho --load-preserve-context k", "--load-preserve-context can't");
	assert_refused("--kho --mem-max=1 -l k", "kexec_file_load");
	assert_refused("--kho --load-live-update k", "Xen");
}

static void test_timeout(void **state)
{
	struct kexec_options o;

	assert_parses(&o, "--kho -l k", ACTION_LOAD);
	assert_int_equal(o.timeout_usec, 0);
	kexec_options_done(&o);
	assert_parses(&o, "--kho -l k --kho-timeout 90", ACTION_LOAD);
	assert_int_equal(o.timeout_usec, 90 * 1000000);
	kexec_options_done(&o);
	assert_parses(&o, "--kho -e --kho-ti=0.5", ACTION_EXECUTE);
	assert_int_equal(o.timeout_usec, 500000);
	kexec_options_done(&o);
	assert_refused("--kho -e --kho-timeout=0", "seconds");
	assert_refused("--kho -e --kho-timeout=-1", "seconds");
	assert_refused("--kho -e --kho-timeout=", "seconds");
	assert_refused("--kho -e --kho-timeout=10x", "\"10x\"");
	assert_refused("--kho -e --kho-timeout=86401", "86400");
	assert_refused("--kho -e --kho-timeout=99999999999999999999", "seconds");
}

static void test_copies(void **state)
{
	struct kexec_options o;

	assert_parses(&o, "--kho -l k", ACTION_LOAD);
	assert_true(!o.dry_run && !o.transport && !o.spool);
	kexec_options_done(&o);
	assert_parses(&o, "--kho -l k --kho-dry-run --kho-transport=spool --kho-spool=/srv/kho",
		      ACTION_LOAD);
	assert_true(o.dry_run);
	assert_string_equal(o.transport, "spool");
	assert_string_equal(o.spool, "/srv/kho");
	assert_forwarded(&o, "");
	kexec_options_done(&o);
	assert_refused("--kho -l k --kho-transport=tape", "auto, luo, initrd or spool");
	assert_refused("--kho -l k --kho-spool=srv", "absolute path");
	assert_refused("--kho -l k --kho-spool=", "absolute path");
}

static void test_digest(void **state)
{
	static const struct {
		const char *line;
		uint64_t size_max;
	} table[] = {
		{"--kho -l k --kho-digest=never", 0},
		{"--kho -l k --kho-digest=always", INT64_MAX},
		{"--kho -l k --kho-digest=0", 0},
		{"--kho -l k --kho-digest=4096", 4096},
		{"--kho -l k --kho-digest=256M", 256 << 20},
		{"--kho -l k --kho-digest=1g", 1 << 30},
	};
	struct kexec_options o;

	assert_parses(&o, "--kho -l k", ACTION_LOAD);
	assert_false(o.has_digest_size_max);
	kexec_options_done(&o);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		assert_parses(&o, table[i].line, ACTION_LOAD);
		assert_true(o.has_digest_size_max);
		assert_int_equal(o.digest_size_max, table[i].size_max);
		kexec_options_done(&o);
	}
	assert_refused("--kho -l k --kho-digest=some", "always, never");
	assert_refused("--kho -l k --kho-digest=-1", "always, never");
	assert_refused("--kho -l k --kho-digest=1X", "\"1X\"");
	assert_refused("--kho -l k --kho-digest=99999999T", "always, never");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whose_it_is),
		cmocka_unit_test(test_arguments_of_others),
		cmocka_unit_test(test_abbreviations),
		cmocka_unit_test(test_clusters),
		cmocka_unit_test(test_unknown_options),
		cmocka_unit_test(test_posixly_correct),
		cmocka_unit_test(test_actions),
		cmocka_unit_test(test_action_mistakes),
		cmocka_unit_test(test_what_is_forwarded),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
