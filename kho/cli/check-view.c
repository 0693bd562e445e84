/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "kho/cli/check-view.h"
#include "kho/cli/table.h"

static const char *kind_in_words(enum verdict_kind kind)
{
	static const char *const words[] = {
		[VERDICT_IN_PLACE] = "in place",
		[VERDICT_UNKNOWN] = "UNKNOWN",
		[VERDICT_COPY] = "ONLY BY COPY",
		[VERDICT_NO] = "NOT AT ALL",
	};

	return words[kind];
}

static const char *consequence(enum kho_generation generation, enum verdict_kind kind)
{
	switch (kind) {
	case VERDICT_IN_PLACE:
		if (generation == KHO_FINALIZE)
			return "what is the kernel's own (reserve_mem=) survives; services can hand "
			       "nothing over";
		return "memory stays where it is, and survives";
	case VERDICT_UNKNOWN:
		return "kexec --kho refuses this kernel, as memory might be lost";
	case VERDICT_COPY:
		return "this version makes no copies: kexec --kho refuses this kernel";
	default:
		return "kexec --kho refuses this kernel";
	}
}

static const char *mark(enum finding_weight weight)
{
	static const char *const marks[] = {
		[FINDING_FINE] = "ok",	 [FINDING_NOTE] = "-", [FINDING_UNKNOWN] = "?",
		[FINDING_COPY] = "COPY", [FINDING_NO] = "NO",
	};

	return marks[weight];
}

static const char *source_in_words(enum cmdline_source source)
{
	switch (source) {
	case CMDLINE_OF_IMAGE:
		return " (the image's own)";
	case CMDLINE_OF_KERNEL:
		return " (the running kernel's, as with --reuse-cmdline)";
	default:
		return "";
	}
}

static void print_head(const struct check *check, const struct checked *checked)
{
	const struct image *image = checked->image;
	const struct finding *reason = verdict_reason(checked->verdict);

	printf("kernel        %s -> %s\n", check->machine.kernel.release,
	       image->release ?: "not told in the image");
	printf("image         %s (%s, %s%s%s)\n", image->path, image_kind_name(image->kind),
	       image_arch_name(image->arch), image->compression ? ", " : "",
	       image->compression ?: "");
	printf("command line  %s%s\n", *checked->cmdline ? checked->cmdline : "empty",
	       source_in_words(checked->cmdline_source));
	printf("verdict       %s%s%s\n", kind_in_words(checked->verdict->kind), reason ? ": " : "",
	       reason ? reason->text : "");
	printf("              %s\n",
	       consequence(check->machine.kernel.generation, checked->verdict->kind));
}

int check_view_print(const struct check *check, const struct checked *checked)
{
	const struct verdict *verdict = checked->verdict;
	_cleanup_table_ struct table *table = table_new("|WHAT|FOUND");
	int r;

	print_head(check, checked);
	for (size_t i = 0; i < verdict->n_findings; i++) {
		table_cell(table, mark(verdict->findings[i].weight));
		table_cell(table, verdict->findings[i].topic);
		table_cell(table, verdict->findings[i].text);
	}
	printf("\n");
	r = table_print(table, "", stdout);
	if (r >= 0 && verdict->append)
		printf("\nthe command line lacks: %s\n", verdict->append);
	return r;
}

int check_view_print_table(const struct checked *checked, size_t n)
{
	_cleanup_table_ struct table *table = table_new("IMAGE|RELEASE|VERDICT|WHY");

	for (size_t i = 0; i < n; i++) {
		const struct finding *reason = verdict_reason(checked[i].verdict);

		table_cell(table, checked[i].image->path);
		table_cell(table, checked[i].image->release ?: "?");
		table_cell(table, kind_in_words(checked[i].verdict->kind));
		table_cell(table, reason ? reason->text : "");
	}
	return table_print(table, "", stdout);
}
