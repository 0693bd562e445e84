/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "kho/cli/json.h"
#include "kho/cli/kernel-view.h"
#include "kho/cli/say.h"
#include "kho/kernel/generation.h"

static int print_json(const struct kernel_info *kernel, const char *reason)
{
	_cleanup_json_ sd_json_variant *document = NULL;
	int r;

	r = sd_json_buildo(
		&document, SD_JSON_BUILD_PAIR_NULL("state"),
		SD_JSON_BUILD_PAIR_STRING("reason", reason),
		SD_JSON_BUILD_PAIR_STRING("kernelRelease", kernel->release),
		SD_JSON_BUILD_PAIR_STRING("kho", kho_generation_name(kernel->generation)),
		SD_JSON_BUILD_PAIR_STRING("khoAdvice", kho_generation_advice(kernel->generation)),
		SD_JSON_BUILD_PAIR_BOOLEAN("luo", kernel->luo),
		SD_JSON_BUILD_PAIR_CONDITION(!!kernel->luo_reason, "luoReason",
					     SD_JSON_BUILD_STRING(kernel->luo_reason)),
		SD_JSON_BUILD_PAIR_BOOLEAN("kexecLoaded", kernel->kexec_loaded));
	if (r >= 0)
		json_print(document);
	return r;
}

static void print_human(const struct kernel_info *kernel)
{
	const char *advice = kho_generation_advice(kernel->generation);
	const char *reason = kernel->luo_reason ?: "LUO is missing";

	printf("khod          not running or not reachable\n");
	printf("kernel        %s, KHO %s: %s\n", kernel->release,
	       kho_generation_name(kernel->generation), advice);
	if (kernel->luo)
		printf("in place      yes, memory can stay where it is (LUO)\n");
	else if (strcmp(reason, advice) == 0)
		printf("in place      no\n");
	else
		printf("in place      no: %s\n", reason);
	if (kernel->kexec_loaded)
		printf("kexec         a kernel is loaded, and carries no region\n");
}

void show_kernel(bool json, const char *reason)
{
	struct kernel_info kernel = {};
	int r;

	r = kernel_probe(&kernel);
	if (r >= 0 && json)
		r = print_json(&kernel, reason);
	else if (r >= 0)
		print_human(&kernel);
	if (r < 0)
		say("can't tell what this kernel can do: %s", strerror(-r));
	kernel_info_done(&kernel);
}
