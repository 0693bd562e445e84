/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>

#include "kexec/progress.h"

#define DEFAULT_COLUMNS 80

static const char *phase_text(const char *phase)
{
	static const struct {
		const char *phase, *text;
	} table[] = {
		{"check", "checking"},
		{"prepare", "asking services"},
		{"preserve", "preserving regions"},
		{"freeze", "stopping services"},
		{"digest", "taking digests"},
		{"copy", "copying regions"},
		{"record", "writing the record"},
		{"release", "releasing regions"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (strcmp(table[i].phase, phase) == 0)
			return table[i].text;
	return phase; /* of a newer khod */
}

/* "asking services: waiting for a.service, b.service"; NULL: out of memory. */
static char *describe(const struct manager_progress *progress)
{
	_cleanup_fclose_ FILE *f = NULL;
	char *text = NULL;
	size_t size;

	f = open_memstream(&text, &size);
	if (!f)
		return NULL;
	fputs(phase_text(progress->phase), f);
	for (char **owner = progress->waiting_for; *owner; owner++)
		fprintf(f, "%s%s", owner == progress->waiting_for ? ": waiting for " : ", ",
			*owner);
	fclose(TAKE_PTR(f));
	return text;
}

static int terminal_columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return DEFAULT_COLUMNS;
	return size.ws_col;
}

/* Whether a line there can be written anew. */
static bool is_terminal(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
}

/* A line that wraps could not be written anew: it is cut. */
static void show_on_terminal(struct progress *p, const struct manager_progress *progress,
			     const char *text)
{
	_cleanup_free_ char *line = NULL;
	int r;

	if (progress->total > 0)
		r = asprintf(&line, "%" PRIu64 "/%" PRIu64 " %s", progress->done, progress->total,
			     text);
	else
		r = asprintf(&line, "%s", text);
	if (r < 0) {
		line = NULL;
		return;
	}
	fprintf(stderr, "\r\033[K%.*s", terminal_columns() - 1, line);
	fflush(stderr);
	p->on_line = true;
}

void progress_show(struct progress *p, const struct manager_progress *progress)
{
	_cleanup_free_ char *text = describe(progress);

	p->any = true;
	if (!text)
		return;
	if (is_terminal()) {
		show_on_terminal(p, progress, text);
		return;
	}
	if (p->shown && strcmp(p->shown, text) == 0)
		return;
	fprintf(stderr, "%s\n", text);
	free(p->shown);
	p->shown = TAKE_PTR(text);
}

void progress_clear(struct progress *p)
{
	if (!p->on_line)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
	p->on_line = false;
}

void progress_done(struct progress *p)
{
	progress_clear(p);
	free(p->shown);
	*p = (struct progress){};
}
