/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KHO_CLI_RUN_SPEC_H
#define KHO_CLI_RUN_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kho/core/cleanup.h"

/* Memory that COMMAND works in. */
struct run_region {
	char *name;
	uint64_t size; /* bytes, of a new one */
};

/* A file that COMMAND writes when it stops and reads when it starts. */
struct run_file {
	char *name;
	char *path; /* %{NAME} not replaced yet */
};

enum run_damaged {
	DAMAGED_STOP,  /* don't start */
	DAMAGED_EMPTY, /* start with zeros */
	DAMAGED_USE,   /* start with what arrived */
};

/* What kho run was asked to do. */
struct run_spec {
	struct run_region *regions;
	size_t n_regions;
	struct run_file *files;
	size_t n_files;
	int freeze_signal; /* 0: stop COMMAND where it stands */
	enum run_damaged damaged;
	bool optional;
	char **command; /* NULL-terminated, borrowed from argv */
};

void run_spec_done(struct run_spec *spec);
#define _cleanup_run_spec_ _cleanup_(run_spec_done)

/*
 * Takes over the argument of --region, --file or --damaged. Returns 0, -ENOMEM, or -EINVAL and in
 * *ret_advice a constant sentence that says what it should be.
 */
int run_spec_add_region(struct run_spec *spec, const char *text, const char **ret_advice);
int run_spec_add_file(struct run_spec *spec, const char *text, const char **ret_advice);
int run_spec_set_damaged(struct run_spec *spec, const char *text, const char **ret_advice);

/* What is missing from the whole, or contradicts: a constant sentence, or NULL. */
const char *run_spec_check(const struct run_spec *spec);

/* Replaces names in text: paths[i] is the path of region i. */
struct run_names {
	const struct run_spec *spec;
	char *const *paths;
};

/*
 * Replaces %{NAME} by the region's path and %% by %; any other % stays. Returns 0, -ENOMEM, -EINVAL
 * if there is no such region, or a brace does not close. *ret is the caller's to free.
 */
int run_names_expand(const struct run_names *names, const char *text, char **ret);

/* Frees a NULL-terminated array and what it holds; NULL is fine. Returns NULL. */
char **run_strings_free(char **strings);

#endif
