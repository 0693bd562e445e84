/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "tests/vm/luo/luo-test.h"

void die(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

int must(int r, char *message, const char *what)
{
	if (r < 0)
		die("%s: %s: %s", what, strerror(-r), message ? message : "no message");
	return r;
}

uint64_t now_usec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec / 1000;
}

static const struct {
	const char *name, *arguments;
	int (*run)(int argc, char **argv);
} verbs[] = {
	{"probe", "", verb_probe},
	{"hold", "SESSIONS", verb_hold},
	{"verify", "SESSIONS", verb_verify},
	{"abort", "", verb_abort},
	{"refuse", "", verb_refuse},
	{"limit", "BYTES", verb_limit},
	{"busy", "", verb_busy},
	{"folios", "MIB", verb_folios},
	{"brink", "", verb_brink},
	{"swap", "RECLAIM", verb_swap},
};

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(verbs); i++)
		if (strcmp(argv[1], verbs[i].name) == 0)
			return verbs[i].run(argc - 1, argv + 1);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		fprintf(stderr, "luo-test %s %s\n", verbs[i].name, verbs[i].arguments);
	return 1;
}
