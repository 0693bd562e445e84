/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <string.h>

#include "kho/kernel/verdict-private.h"

static void add(struct verdict *v, enum finding_weight weight, const char *topic, const char *here,
		const char *there, const char *format, va_list ap)
{
	struct finding finding = {.weight = weight, .topic = topic}, *findings;

	findings = reallocarray(v->findings, v->n_findings + 1, sizeof(*findings));
	if (!findings) {
		v->error = -ENOMEM;
		return;
	}
	v->findings = findings;
	if (vasprintf(&finding.text, format, ap) < 0)
		finding.text = NULL;
	finding.here = here ? strdup(here) : NULL;
	finding.there = there ? strdup(there) : NULL;
	findings[v->n_findings++] = finding;
	if (!finding.text || !finding.here != !here || !finding.there != !there)
		v->error = -ENOMEM;
}

void verdict_add(struct verdict *v, enum finding_weight weight, const char *topic,
		 const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add(v, weight, topic, NULL, NULL, format, ap);
	va_end(ap);
}

void verdict_add_pair(struct verdict *v, enum finding_weight weight, const char *topic,
		      const char *here, const char *there, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	add(v, weight, topic, here, there, format, ap);
	va_end(ap);
}

void verdict_append(struct verdict *v, const char *word)
{
	char *words;

	if (asprintf(&words, "%s%s%s", v->append ?: "", v->append ? " " : "", word) < 0) {
		v->error = -ENOMEM;
		return;
	}
	free(v->append);
	v->append = words;
}

enum config_answer verdict_config(const struct image *image, const char *symbol)
{
	_cleanup_free_ char *value = NULL;

	if (!image->config)
		return CONFIG_UNKNOWN;
	value = image_config(image, symbol);
	return value && strcmp(value, "y") == 0 ? CONFIG_YES : CONFIG_NO;
}

/*
 * The command line as the next kernel will see it: what is built into it comes first, or is all
 * there is (arch/x86/kernel/setup.c). Returns 0 or -ENOMEM.
 */
static int whole_cmdline(const struct verdict_question *q, char **ret)
{
	_cleanup_free_ char *value = image_config(q->image, "CONFIG_CMDLINE");
	const char *builtin = value ?: "";
	size_t length = strlen(builtin);
	bool only;

	/* The configuration has it in quotes. */
	if (length >= 2 && builtin[0] == '"' && builtin[length - 1] == '"') {
		builtin++;
		length -= 2;
	}
	only = length > 0 && (verdict_config(q->image, "CONFIG_CMDLINE_OVERRIDE") == CONFIG_YES ||
			      verdict_config(q->image, "CONFIG_CMDLINE_FORCE") == CONFIG_YES);
	if (asprintf(ret, "%.*s%s%s", (int)length, builtin, length > 0 ? " " : "",
		     only ? "" : q->cmdline) < 0)
		return -ENOMEM;
	return 0;
}

static enum verdict_kind conclude(const struct verdict *v)
{
	static const enum verdict_kind kinds[] = {
		[FINDING_FINE] = VERDICT_IN_PLACE,   [FINDING_NOTE] = VERDICT_IN_PLACE,
		[FINDING_UNKNOWN] = VERDICT_UNKNOWN, [FINDING_COPY] = VERDICT_COPY,
		[FINDING_NO] = VERDICT_NO,
	};
	enum verdict_kind worst = VERDICT_IN_PLACE;

	for (size_t i = 0; i < v->n_findings; i++)
		if (kinds[v->findings[i].weight] > worst)
			worst = kinds[v->findings[i].weight];
	return worst;
}

int verdict_decide(const struct verdict_question *q, struct verdict **ret)
{
	_cleanup_verdict_ struct verdict *v = calloc(1, sizeof(*v));
	_cleanup_free_ char *cmdline = NULL;

	if (!v || whole_cmdline(q, &cmdline) < 0)
		return -ENOMEM;
	verdict_on_loading(q, v);
	verdict_on_kernels(q, v);
	verdict_on_strings(q, v);
	verdict_on_layouts(q, v);
	verdict_on_cmdline(q, cmdline, v);
	verdict_on_sessions(q, v);
	verdict_on_room(q, cmdline, v);
	if (v->error < 0)
		return v->error;
	v->kind = conclude(v);
	*ret = TAKE_PTR(v);
	return 0;
}

struct verdict *verdict_free(struct verdict *v)
{
	if (!v)
		return NULL;
	for (size_t i = 0; i < v->n_findings; i++) {
		free(v->findings[i].here);
		free(v->findings[i].there);
		free(v->findings[i].text);
	}
	free(v->findings);
	free(v->append);
	free(v);
	return NULL;
}

const struct finding *verdict_reason(const struct verdict *v)
{
	static const enum finding_weight weights[] = {
		[VERDICT_UNKNOWN] = FINDING_UNKNOWN,
		[VERDICT_COPY] = FINDING_COPY,
		[VERDICT_NO] = FINDING_NO,
	};

	if (v->kind == VERDICT_IN_PLACE)
		return NULL;
	for (size_t i = 0; i < v->n_findings; i++)
		if (v->findings[i].weight == weights[v->kind])
			return &v->findings[i];
	return NULL;
}

const char *verdict_kind_name(enum verdict_kind kind)
{
	static const char *const names[] = {
		[VERDICT_IN_PLACE] = "in-place",
		[VERDICT_UNKNOWN] = "unknown",
		[VERDICT_COPY] = "copy",
		[VERDICT_NO] = "no",
	};

	return (size_t)kind < ARRAY_SIZE(names) ? names[kind] : "unknown";
}

const char *finding_weight_name(enum finding_weight weight)
{
	static const char *const names[] = {
		[FINDING_FINE] = "fine", [FINDING_NOTE] = "note", [FINDING_UNKNOWN] = "unknown",
		[FINDING_COPY] = "copy", [FINDING_NO] = "no",
	};

	return (size_t)weight < ARRAY_SIZE(names) ? names[weight] : "unknown";
}
