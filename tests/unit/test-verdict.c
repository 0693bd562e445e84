/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/verdict.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define BOTH_ON "root=/dev/vda kho=on liveupdate=on"

/* The strings of Linux 7.1 and 7.3, as their images have them. */
static char *memfd_handlers[] = {(char *)"memfd-v2", NULL};
static char *more_handlers[] = {(char *)"memfd-v2", (char *)"vfio-pci-v1", NULL};
static char *older_handlers[] = {(char *)"memfd-v1", NULL};
static char *no_handlers[] = {NULL};

static const struct abi abi_7_3 = {.kho = (char *)"kho-v4",
				   .luo = (char *)"luo-v5",
				   .memblock = (char *)"memblock-v1",
				   .reserve_mem = (char *)"reserve-mem-v1",
				   .file_handlers = memfd_handlers};
static const struct abi abi_7_1 = {.kho = (char *)"kho-v3",
				   .luo = (char *)"luo-v1",
				   .luo_session = (char *)"luo-session-v2",
				   .luo_flb = (char *)"luo-flb-v1",
				   .memblock = (char *)"memblock-v1",
				   .reserve_mem = (char *)"reserve-mem-v1",
				   .file_handlers = memfd_handlers};

static struct placement_area areas[] = {
	{.start = 0x73000000, .size = 104 * MIB},
	{.start = 0, .size = 0},
	{.start = 0x6d000000, .size = 96 * MIB},
};

/* A question that is answered by yes, to be spoilt. */
struct scene {
	struct machine machine;
	struct running_kernel here;
	struct image image;
	struct verdict_question question;
};

static int setup(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->machine = (struct machine){
		.kernel = {.generation = KHO_STATELESS, .luo = true},
		.page_size = 4096,
		.memory_total = 2 * GIB,
		.memory_available = GIB,
		.cmdline = (char *)BOTH_ON,
		.areas = areas,
		.n_areas = ARRAY_SIZE(areas),
		.sessions_seen = true,
	};
	s->here.abi = abi_7_3;
	s->image = (struct image){
		.path = (char *)"/boot/vmlinuz",
		.size = 5 * MIB,
		.kind = IMAGE_BZIMAGE,
		.kernel = IMAGE_BZIMAGE,
		.arch = IMAGE_X86_64,
		.relocatable = 1,
		.init_size = 30 * MIB,
		.kernel_alignment = 2 * MIB,
		.pref_address = 16 * MIB,
		.abi = abi_7_3,
	};
	s->question = (struct verdict_question){
		.machine = &s->machine, .here = &s->here, .image = &s->image, .cmdline = BOTH_ON};
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	abi_layouts_done(&s->here.layouts);
	abi_layouts_done(&s->image.layouts);
	free(s);
	return 0;
}

/* Decides, and expects this verdict with a deciding line that has that in it. */
static void expect(struct scene *s, enum verdict_kind kind, const char *text)
{
	_cleanup_verdict_ struct verdict *v = NULL;
	const struct finding *reason;

	assert_int_equal(verdict_decide(&s->question, &v), 0);
	reason = verdict_reason(v);
	if (v->kind != kind)
		fail_msg("%s: %s, not %s", verdict_kind_name(v->kind), reason ? reason->text : "",
			 verdict_kind_name(kind));
	assert_int_equal(!reason, kind == VERDICT_IN_PLACE);
	if (text && !strstr(reason->text, text))
		fail_msg("\"%s\" has no \"%s\"", reason->text, text);
}

/* The same, of any line. */
static void expect_line(struct scene *s, enum finding_weight weight, const char *text)
{
	_cleanup_verdict_ struct verdict *v = NULL;

	assert_int_equal(verdict_decide(&s->question, &v), 0);
	for (size_t i = 0; i < v->n_findings; i++)
		if (v->findings[i].weight == weight && strstr(v->findings[i].text, text))
			return;
	fail_msg("no %s line has \"%s\"", finding_weight_name(weight), text);
}

static void expect_no_line(struct scene *s, const char *text)
{
	_cleanup_verdict_ struct verdict *v = NULL;

	assert_int_equal(verdict_decide(&s->question, &v), 0);
	for (size_t i = 0; i < v->n_findings; i++)
		if (strstr(v->findings[i].text, text))
			fail_msg("a line has \"%s\": %s", text, v->findings[i].text);
}

static void expect_append(struct scene *s, const char *append)
{
	_cleanup_verdict_ struct verdict *v = NULL;

	assert_int_equal(verdict_decide(&s->question, &v), 0);
	if (!append)
		assert_null(v->append);
	else
		assert_string_equal(v->append, append);
}

static void test_in_place(void **state)
{
	expect(*state, VERDICT_IN_PLACE, NULL);
	expect_append(*state, NULL);
}

static void test_7_1_to_7_1(void **state)
{
	struct scene *s = *state;

	s->here.abi = abi_7_1;
	s->image.abi = abi_7_1;
	expect(s, VERDICT_IN_PLACE, NULL);
	s->image.abi.luo_flb = (char *)"luo-flb-v2";
	expect(s, VERDICT_COPY, "luo-flb-v1 here, luo-flb-v2 there");
	s->image.abi.luo_flb = NULL;
	expect(s, VERDICT_UNKNOWN, "luo-flb-v1 here, and not found there");
	s->here.abi.luo_flb = NULL;
	expect(s, VERDICT_UNKNOWN, "not known on either side");
}

static void test_strings_differ(void **state)
{
	struct scene *s = *state;
	_cleanup_verdict_ struct verdict *v = NULL;

	s->image.abi = abi_7_1;
	expect(s, VERDICT_COPY, "kho-v4 here, kho-v3 there");
	expect_line(s, FINDING_COPY, "luo-v5 here, luo-v1 there");
	expect_line(s, FINDING_FINE, "memfd-v2 on both sides");
	expect_no_line(s, "luo-session");
	assert_int_equal(verdict_decide(&s->question, &v), 0);
	assert_string_equal(verdict_reason(v)->here, "kho-v4");
	assert_string_equal(verdict_reason(v)->there, "kho-v3");
	s->here.abi = abi_7_1;
	s->image.abi = abi_7_3;
	expect(s, VERDICT_COPY, "kho-v3 here, kho-v4 there");
}

/* Whatever is not known is never a yes. */
static void test_strings_unknown(void **state)
{
	struct scene *s = *state;
	struct abi *abis[] = {&s->here.abi, &s->image.abi};

	for (size_t i = 0; i < ARRAY_SIZE(abis); i++) {
		*abis[i] = abi_7_3;
		abis[i]->kho = NULL;
		expect(s, VERDICT_UNKNOWN, "kho-v4");
		*abis[i] = abi_7_3;
		abis[i]->luo = NULL;
		expect(s, VERDICT_UNKNOWN, "luo-v5");
		*abis[i] = abi_7_3;
		abis[i]->file_handlers = no_handlers;
		expect(s, VERDICT_UNKNOWN, "memfd-v2");
		*abis[i] = (struct abi){.file_handlers = no_handlers};
		expect(s, VERDICT_UNKNOWN, NULL);
		*abis[i] = abi_7_3;
	}
	expect(s, VERDICT_IN_PLACE, NULL);
	s->image.abi = (struct abi){.file_handlers = no_handlers};
	s->image.problem = (char *)"the payload is damaged";
	expect(s, VERDICT_UNKNOWN, "the payload is damaged");
	/* One that differs for certain is a no, whatever else is unknown. */
	s->image.problem = NULL;
	s->image.abi.kho = (char *)"kho-v9";
	expect(s, VERDICT_COPY, "kho-v4 here, kho-v9 there");
}

/* The layout of a structure, whose one member is at that byte. */
static void lay_out(struct abi_layouts *layouts, const char *name, uint64_t at)
{
	size_t i = 0;

	while (strcmp(abi_structure_name(i), name) != 0)
		i++;
	layout_done(&layouts->of[i]);
	layouts->of[i].fields = calloc(1, sizeof(struct layout_field));
	assert_non_null(layouts->of[i].fields);
	layouts->of[i].n_fields = 1;
	*layouts->of[i].fields =
		(struct layout_field){.name = strdup("member"), .at = at * 8, .width = 64};
}

/* Strings are set by people, and BTF is not: it can say no, and never yes. */
static void test_layouts(void **state)
{
	struct scene *s = *state;

	lay_out(&s->image.layouts, "struct luo_ser", 8);
	expect(s, VERDICT_IN_PLACE, NULL);
	expect_no_line(s, "BTF");
	lay_out(&s->here.layouts, "struct memfd_luo_ser", 8);
	expect_no_line(s, "BTF");
	lay_out(&s->here.layouts, "struct luo_ser", 8);
	expect(s, VERDICT_IN_PLACE, NULL);
	expect_line(s, FINDING_FINE, "the same in the BTF of both: 1");
	lay_out(&s->image.layouts, "struct memfd_luo_ser", 16);
	expect(s, VERDICT_COPY,
	       "struct memfd_luo_ser differs, although both say memfd-v2: "
	       "member is at byte 8 here, at 16 there");

	/* One that the strings tell to differ has nothing to add. */
	s->here.abi.file_handlers = older_handlers;
	expect(s, VERDICT_COPY, "memfd-v1 here, memfd-v2 there");
	expect_no_line(s, "differs");

	/* Equal structures are no string, and others are others without any. */
	s->here.abi = abi_7_3;
	lay_out(&s->image.layouts, "struct memfd_luo_ser", 8);
	s->image.abi.luo = NULL;
	expect(s, VERDICT_UNKNOWN, "luo-v5 here, and not found there");
	lay_out(&s->image.layouts, "struct luo_ser", 16);
	expect(s, VERDICT_COPY, "struct luo_ser differs: member");
	s->machine.kernel.generation = KHO_FINALIZE;
	expect_no_line(s, "struct luo_ser");
}

static void test_configuration(void **state)
{
	struct scene *s = *state;

	s->image.config_source = (char *)"embedded";
	s->image.config = (char *)"CONFIG_KEXEC_HANDOVER=y\nCONFIG_LIVEUPDATE=y\n";
	expect(s, VERDICT_IN_PLACE, NULL);
	s->image.config = (char *)"CONFIG_KEXEC_HANDOVER=y\n";
	expect(s, VERDICT_COPY, "without CONFIG_LIVEUPDATE");
	s->image.config = (char *)"# CONFIG_KEXEC_HANDOVER is not set\n";
	s->question.cmdline = "";
	expect(s, VERDICT_COPY, "without CONFIG_KEXEC_HANDOVER");
	expect_append(s, NULL);
}

static void test_command_line(void **state)
{
	struct scene *s = *state;

	s->question.cmdline = "kho=off liveupdate=on";
	expect(s, VERDICT_COPY, "append kho=on");
	expect_append(s, "kho=on");
	s->question.cmdline = "kho=on";
	expect(s, VERDICT_COPY, "liveupdate=on is missing on the next command line: append");
	s->question.cmdline = "kho=on liveupdate=0";
	expect(s, VERDICT_COPY, "liveupdate= is off");
	s->question.cmdline = "kho=on liveupdate";
	expect_append(s, "liveupdate=on");
	s->question.cmdline = "";
	expect_append(s, "kho=on liveupdate=on");
	s->question.cmdline = "-- kho=on liveupdate=on";
	expect(s, VERDICT_COPY, "insert liveupdate=on before the --");
}

static void test_kho_by_default(void **state)
{
	static char by_default[] = "CONFIG_KEXEC_HANDOVER=y\nCONFIG_LIVEUPDATE=y\n"
				   "CONFIG_KEXEC_HANDOVER_ENABLE_DEFAULT=y\n";
	static char not_by_default[] = "CONFIG_KEXEC_HANDOVER=y\nCONFIG_LIVEUPDATE=y\n";
	struct scene *s = *state;

	s->question.cmdline = "liveupdate=on";
	expect(s, VERDICT_UNKNOWN, "whether KHO is on there by default is not known");
	s->image.config = by_default;
	s->image.config_source = (char *)"embedded";
	expect(s, VERDICT_IN_PLACE, NULL);
	s->image.config_source = (char *)"/boot/config-7.3.4";
	expect(s, VERDICT_UNKNOWN, "not proven: append kho=on");
	s->image.config = not_by_default;
	expect(s, VERDICT_COPY, "kho=on is missing");
}

static void test_built_in_command_line(void **state)
{
	struct scene *s = *state;

	s->image.config_source = (char *)"embedded";
	s->image.config = (char *)"CONFIG_KEXEC_HANDOVER=y\nCONFIG_LIVEUPDATE=y\n"
				  "CONFIG_CMDLINE=\"kho=on liveupdate=on\"\n";
	s->question.cmdline = "quiet";
	expect(s, VERDICT_IN_PLACE, NULL);
	s->question.cmdline = "kho=off";
	expect(s, VERDICT_COPY, "append kho=on");
	s->image.config = (char *)"CONFIG_KEXEC_HANDOVER=y\nCONFIG_LIVEUPDATE=y\n"
				  "CONFIG_CMDLINE_OVERRIDE=y\nCONFIG_CMDLINE=\"quiet\"\n";
	s->question.cmdline = BOTH_ON;
	expect(s, VERDICT_COPY, "kho=on is missing");
}

static void test_encryption(void **state)
{
	struct scene *s = *state;

	s->question.cmdline = BOTH_ON " mem_encrypt=on";
	expect(s, VERDICT_COPY, "mem_encrypt= is unset here, and on there");
	s->machine.cmdline = (char *)"mem_encrypt=on";
	expect(s, VERDICT_IN_PLACE, NULL);
}

static void test_this_kernel(void **state)
{
	struct scene *s = *state;
	static const enum kho_generation without[] = {KHO_NONE, KHO_OFF, KHO_OUT_OF_TREE};

	for (size_t i = 0; i < ARRAY_SIZE(without); i++) {
		s->machine.kernel.generation = without[i];
		expect(s, VERDICT_COPY, kho_generation_advice(without[i]));
	}
	s->machine.kernel.generation = KHO_UNKNOWN;
	expect(s, VERDICT_UNKNOWN, kho_generation_advice(KHO_UNKNOWN));
	s->machine.kernel.debugfs_problem = "debugfs is for root alone: look as root";
	expect(s, VERDICT_UNKNOWN, "has kexec handover: debugfs is for root alone");
	s->machine.kernel.generation = KHO_STATELESS;
	s->machine.kernel.luo = false;
	s->machine.kernel.luo_unseen = true;
	expect(s, VERDICT_UNKNOWN, "can't be seen: run this as root");
	s->machine.kernel.luo_unseen = false;
	s->machine.kernel.luo_reason = (char *)"live update is switched off";
	expect(s, VERDICT_COPY, "live update is switched off");
}

/* 6.18 hands over nothing of services, and has no LUO to agree on. */
static void test_finalize(void **state)
{
	struct scene *s = *state;

	s->machine.kernel.generation = KHO_FINALIZE;
	s->machine.kernel.luo = false;
	s->machine.cmdline = (char *)"kho=on reserve_mem=4K:4K:x";
	s->question.cmdline = "kho=on";
	s->here.abi = (struct abi){.kho = (char *)"kho-v1",
				   .memblock = (char *)"memblock-v1",
				   .reserve_mem = (char *)"reserve-mem-v1",
				   .file_handlers = no_handlers};
	s->image.abi = s->here.abi;
	expect(s, VERDICT_IN_PLACE, NULL);
	expect_line(s, FINDING_NOTE, "nothing of services");
	s->image.abi.reserve_mem = (char *)"reserve-mem-v2";
	expect(s, VERDICT_COPY, "reserve-mem-v1 here, reserve-mem-v2 there");
	s->image.abi.reserve_mem = NULL;
	expect(s, VERDICT_UNKNOWN, "reserve-mem-v1 here");
	s->machine.cmdline = (char *)"kho=on";
	expect(s, VERDICT_IN_PLACE, NULL);
}

static void test_sessions(void **state)
{
	struct luo_session_holder holders[] = {
		{.name = (char *)"agent", .pid = 77, .program = "agentd"},
		{.name = (char *)"vmm", .pid = 78, .program = "vmmd"},
	};
	struct scene *s = *state;

	s->here.abi.file_handlers = more_handlers;
	expect(s, VERDICT_IN_PLACE, NULL);
	expect_line(s, FINDING_NOTE, "vfio-pci-v1");
	s->machine.sessions = (struct luo_sessions){.holders = holders, .n_holders = 1};
	expect(s, VERDICT_COPY,
	       "the next kernel takes no files of the kind vfio-pci-v1, and session \"agent\" of "
	       "process 77 (agentd) may have some");
	s->machine.sessions.n_holders = 2;
	expect(s, VERDICT_COPY,
	       "any of the 2 sessions of others (\"agent\" of process 77, agentd …) may have some");
	s->machine.sessions.n_holders = 1;
	s->image.abi.file_handlers = more_handlers;
	expect(s, VERDICT_IN_PLACE, NULL);
	expect_line(s, FINDING_FINE, "of other programs: 1");
	expect_line(s, FINDING_NOTE, "\"agent\" is of process 77 (agentd)");
	s->machine.sessions_seen = false;
	expect(s, VERDICT_UNKNOWN, "run this as root");
}

static void test_loading(void **state)
{
	struct scene *s = *state;

	s->image.unfit = "is not relocatable";
	expect(s, VERDICT_NO, "it is not relocatable");
	s->image.unfit = NULL;
	s->machine.loading_disabled = true;
	expect(s, VERDICT_NO, "kexec_load_disabled");
	s->machine.loading_disabled = false;
	s->machine.locked_down = true;
	expect(s, VERDICT_NO, "carries no signature");
	s->image.is_signed = true;
	expect(s, VERDICT_IN_PLACE, NULL);
	s->image.page_size = 65536;
	expect(s, VERDICT_COPY, "4096 bytes here, 65536 there");
}

static void test_placement(void **state)
{
	struct scene *s = *state;

	s->question.initrd_size = 96 * MIB;
	expect(s, VERDICT_IN_PLACE, NULL);
	s->question.initrd_size = 96 * MIB + 1;
	expect(s, VERDICT_NO,
	       "the initrd takes 97 MiB, and the largest piece of scratch left for "
	       "it has 96 MiB");
	s->question.initrd_size = 0;
	s->image.init_size = 200 * MIB;
	expect(s, VERDICT_NO, "the kernel takes 200 MiB");
	s->image.init_size = 30 * MIB;
	s->machine.memory_available = 20 * MIB;
	expect(s, VERDICT_NO, "20 MiB are available");
}

static void test_early_memory(void **state)
{
	struct scene *s = *state;

	s->question.cmdline = BOTH_ON " crashkernel=64M";
	expect(s, VERDICT_IN_PLACE, NULL);
	s->question.cmdline = BOTH_ON " crashkernel=256M";
	expect(s, VERDICT_COPY, "crashkernel= reserves 256 MiB at once");
	s->question.cmdline = BOTH_ON " cma=128M";
	expect(s, VERDICT_COPY, "cma= reserves 128 MiB");
	s->question.cmdline = BOTH_ON " log_buf_len=64M";
	expect(s, VERDICT_COPY, "log_buf_len=");
	/* Each fits, and all of it leaves no room for the descriptors of 2 GiB. */
	s->question.cmdline = BOTH_ON " crashkernel=64M cma=80M";
	expect(s, VERDICT_COPY, "descriptors of its pages");
}

/* What loading shows by itself is no reason to say no before. */
static void test_scratch_unseen(void **state)
{
	struct scene *s = *state;

	s->machine.scratch_problem = (char *)"the scratch areas can't be seen";
	s->question.initrd_size = 96 * MIB + 1;
	expect(s, VERDICT_IN_PLACE, NULL);
	expect_line(s, FINDING_NOTE, "shows when it is loaded");
	s->question.cmdline = BOTH_ON " cma=8M";
	expect(s, VERDICT_UNKNOWN, "shows when it is loaded");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_in_place),
		TEST(test_7_1_to_7_1),
		TEST(test_strings_differ),
		TEST(test_strings_unknown),
		TEST(test_layouts),
		TEST(test_configuration),
		TEST(test_command_line),
		TEST(test_kho_by_default),
		TEST(test_built_in_command_line),
		TEST(test_encryption),
		TEST(test_this_kernel),
		TEST(test_finalize),
		TEST(test_sessions),
		TEST(test_loading),
		TEST(test_placement),
		TEST(test_early_memory),
		TEST(test_scratch_unseen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
