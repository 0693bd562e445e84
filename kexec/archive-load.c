/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kexec/archive-load.h"

#include <inttypes.h>
#include <string.h>

#include "initrd/root-spec.h"
#include "kexec/archive.h"
#include "kho/core/cleanup.h"
#include "kho/kernel/cmdline.h"

#define MIB (UINT64_C(1) << 20)
/* struct page for each page, which is what takes most of a kernel's early memory. */
#define MEMORY_PER_DESCRIPTORS 64
/* kernel/liveupdate/kexec_handover.c: twice what is in use. */
#define SCRATCH_SCALE 2
#define SCRATCH_MIN_MIB 32

bool archive_load_by_segments(const struct archive_load *load)
{
	bool bound = load->generation == KHO_FINALIZE || load->generation == KHO_STATELESS ||
		     load->generation == KHO_BOOTMEM || load->generation == KHO_UNKNOWN;

	return bound && !load->in_place_too && !load->locked_down;
}

/* What the line that the next kernel sees has of it: the appended part comes last. */
static bool has_word(const struct archive_load *load, const char *name)
{
	return (load->append && cmdline_has(load->append, name)) ||
	       (load->reused && cmdline_has(load->reused, name));
}

/* Linux 7.4 calls it bootmem. */
static const char *scratch_word(const struct archive_load *load)
{
	unsigned int major, minor;

	if (load->release && sscanf(load->release, "%u.%u", &major, &minor) == 2 &&
	    (major > 7 || (major == 7 && minor >= 4)))
		return "kho_bootmem";
	return "kho_scratch";
}

static char *scratch(const struct archive_load *load)
{
	uint64_t use =
		load->init_size + load->initrd_size + load->memory_total / MEMORY_PER_DESCRIPTORS;
	uint64_t mib = SCRATCH_SCALE * use / MIB + 1;
	char *text;

	if (mib < SCRATCH_MIN_MIB)
		mib = SCRATCH_MIN_MIB;
	/* For DMA, for any node, for each node. */
	if (asprintf(&text, " %s=%uM,%" PRIu64 "M,%" PRIu64 "M", scratch_word(load),
		     SCRATCH_MIN_MIB, mib, mib) < 0)
		return NULL;
	return text;
}

char *archive_load_append(const struct archive_load *load)
{
	_cleanup_free_ char *sizes = NULL;
	const char *init = load->has_initrd ? "" : " rdinit=" ARCHIVE_INIT;
	char *line;

	if (!load->in_place_too && !has_word(load, "kho_scratch") &&
	    !has_word(load, "kho_bootmem")) {
		sizes = scratch(load);
		if (!sizes)
			return NULL;
	}
	/* Ahead of what was given: behind "--" nothing is the kernel's any more. */
	if (asprintf(&line, "%s%s%s%s", &init[*init == ' '], sizes ?: "", load->append ? " " : "",
		     load->append ?: "") < 0)
		return NULL;
	return line;
}

/* The other one is what kexec-tools adds for kexec_load, and takes off itself. */
static bool is_left_over(const struct cmdline_word *word)
{
	if (cmdline_word_is(word, "kexec_jump_back_entry"))
		return true;
	return cmdline_word_is(word, "rdinit") && word->value &&
	       word->value_length == strlen(ARCHIVE_INIT) &&
	       memcmp(word->value, ARCHIVE_INIT, word->value_length) == 0;
}

char *archive_load_clean(const char *cmdline)
{
	_cleanup_free_ char *line = calloc(1, strlen(cmdline) + 1);
	const char *cursor = cmdline, *kept = cmdline;
	struct cmdline_word word;
	bool any = false;

	if (!line)
		return NULL;
	while (cmdline_next(&cursor, &word)) {
		if (!is_left_over(&word))
			continue;
		any = true;
		strncat(line, kept, (size_t)(word.name - kept));
		kept = cursor + (*cursor == ' ');
	}
	strcat(line, kept);
	return any ? TAKE_PTR(line) : NULL;
}

int archive_load_check_root(const struct archive_load *load, char **ret_message)
{
	_cleanup_free_ char *line = NULL;
	struct root_spec spec;
	enum root_kind kind;
	int r;

	if (load->has_initrd)
		return 0;
	if (asprintf(&line, "%s %s", load->reused ?: "", load->append ?: "") < 0)
		return -ENOMEM;
	r = root_spec_parse(line, &spec);
	if (r < 0)
		return r;
	kind = root_spec_kind(&spec);
	if (kind == ROOT_UNSUPPORTED &&
	    asprintf(ret_message,
		     "without an initrd, copies can't cross to a root file system on root=%s: give "
		     "an initrd, or --kho-transport=spool",
		     spec.root ?: "") < 0)
		*ret_message = NULL;
	root_spec_done(&spec);
	return kind == ROOT_UNSUPPORTED ? -EOPNOTSUPP : 0;
}
