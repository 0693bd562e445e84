/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "kho/kernel/cmdline.h"
#include "kho/kernel/verdict-private.h"

#define TOPIC "command line"

/* A configuration beside the image is whoever's put it there: it proves nothing to be on. */
static bool config_is_proven(const struct image *image)
{
	return image->config_source && strcmp(image->config_source, "embedded") == 0;
}

static void lacks(const char *cmdline, struct verdict *v, enum finding_weight weight,
		  const char *word, const char *why)
{
	if (cmdline_ends_early(cmdline))
		verdict_add(v, weight, TOPIC, "%s: insert %s before the --", why, word);
	else
		verdict_add(v, weight, TOPIC, "%s: append %s", why, word);
	verdict_append(v, word);
}

static void check_kho(const struct verdict_question *q, const char *cmdline, struct verdict *v)
{
	switch (cmdline_switch(cmdline, "kho")) {
	case SWITCH_ON:
		verdict_add(v, FINDING_FINE, TOPIC, "kho=on");
		return;
	case SWITCH_OFF:
		lacks(cmdline, v, FINDING_COPY, "kho=on", "kho= is off on the next command line");
		return;
	case SWITCH_ABSENT:
		break;
	}
	switch (verdict_config(q->image, "CONFIG_KEXEC_HANDOVER_ENABLE_DEFAULT")) {
	case CONFIG_YES:
		if (config_is_proven(q->image))
			verdict_add(v, FINDING_FINE, TOPIC,
				    "without kho=, and KHO is on there by default");
		else
			lacks(cmdline, v, FINDING_UNKNOWN, "kho=on",
			      "kho=on is missing, and that KHO is on there by default is not "
			      "proven");
		return;
	case CONFIG_NO:
		lacks(cmdline, v, FINDING_COPY, "kho=on",
		      "kho=on is missing on the next command line");
		return;
	case CONFIG_UNKNOWN:
		lacks(cmdline, v, FINDING_UNKNOWN, "kho=on",
		      "kho=on is missing, and whether KHO is on there by default is not known");
	}
}

static void check_liveupdate(const char *cmdline, struct verdict *v)
{
	switch (cmdline_switch(cmdline, "liveupdate")) {
	case SWITCH_ON:
		verdict_add(v, FINDING_FINE, TOPIC, "liveupdate=on");
		return;
	case SWITCH_OFF:
		lacks(cmdline, v, FINDING_COPY, "liveupdate=on",
		      "liveupdate= is off on the next command line");
		return;
	case SWITCH_ABSENT:
		lacks(cmdline, v, FINDING_COPY, "liveupdate=on",
		      "liveupdate=on is missing on the next command line");
	}
}

/* Memory that one kernel has encrypted is noise to another that has not. */
static void check_encryption(const struct verdict_question *q, const char *cmdline,
			     struct verdict *v)
{
	_cleanup_free_ char *here = cmdline_value(q->machine->cmdline, "mem_encrypt");
	_cleanup_free_ char *there = cmdline_value(cmdline, "mem_encrypt");
	const char *a = here ?: "unset", *b = there ?: "unset";

	if (strcmp(a, b) != 0)
		verdict_add_pair(v, FINDING_COPY, "encryption", a, b,
				 "mem_encrypt= is %s here, and %s there", a, b);
}

void verdict_on_cmdline(const struct verdict_question *q, const char *cmdline, struct verdict *v)
{
	/* What is not built in can't be switched on. */
	if (verdict_config(q->image, "CONFIG_KEXEC_HANDOVER") == CONFIG_NO)
		return;
	check_kho(q, cmdline, v);
	if (q->machine->kernel.generation != KHO_FINALIZE &&
	    verdict_config(q->image, "CONFIG_LIVEUPDATE") != CONFIG_NO)
		check_liveupdate(cmdline, v);
	check_encryption(q, cmdline, v);
}
