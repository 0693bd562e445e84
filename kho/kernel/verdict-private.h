/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_KERNEL_VERDICT_PRIVATE_H
#define KHO_KERNEL_VERDICT_PRIVATE_H

#include "kho/kernel/verdict.h"

/* Adds a finding; an error is kept in verdict->error. */
void verdict_add(struct verdict *verdict, enum finding_weight weight, const char *topic,
		 const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The same, of two strings that were compared. */
void verdict_add_pair(struct verdict *verdict, enum finding_weight weight, const char *topic,
		      const char *here, const char *there, const char *format, ...)
	__attribute__((format(printf, 6, 7)));

/* Adds a word to what the next command line lacks. */
void verdict_append(struct verdict *verdict, const char *word);

/* The value of a symbol in the image's configuration is this one, for certain or not. */
enum config_answer {
	CONFIG_UNKNOWN, /* there is no configuration */
	CONFIG_YES,
	CONFIG_NO, /* also if the configuration does not name it */
};
enum config_answer verdict_config(const struct image *image, const char *symbol);

/* The parts of the question, each adding what it finds. */
void verdict_on_kernels(const struct verdict_question *q, struct verdict *v);
void verdict_on_strings(const struct verdict_question *q, struct verdict *v);
void verdict_on_layouts(const struct verdict_question *q, struct verdict *v);
void verdict_on_sessions(const struct verdict_question *q, struct verdict *v);
void verdict_on_cmdline(const struct verdict_question *q, const char *cmdline, struct verdict *v);
void verdict_on_loading(const struct verdict_question *q, struct verdict *v);
void verdict_on_room(const struct verdict_question *q, const char *cmdline, struct verdict *v);

#endif
