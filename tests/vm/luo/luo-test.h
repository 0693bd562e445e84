/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_VM_LUO_LUO_TEST_H
#define TESTS_VM_LUO_LUO_TEST_H

/* The luo transport alone, without a daemon, in a guest: what the tests tests/vm/luo-*.sh drive. */

#include <stdint.h>

#include "kho/core/cleanup.h"
#include "kho/kernel/generation.h"
#include "kho/kernel/memory.h"
#include "kho/kernel/pages.h"
#include "kho/transport/transport.h"

#define TEST_UPDATE "0123456789abcdef"
#define SECOND 1000000ULL
#define MIB (1ULL << 20)

/* Ends the program, and so the test. */
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			die("%s:%d: not so: %s", __FILE__, __LINE__, #condition);                  \
	} while (0)

/* Dies with the message of a call that was to succeed. */
int must(int r, char *message, const char *what);

/* CLOCK_MONOTONIC, microseconds. */
uint64_t now_usec(void);

/* A file that is made here and expected there. */
struct sample {
	const char *label;
	uint64_t size;
	uint64_t data; /* bytes that are written; the rest is a hole */
	uint32_t seals;
	uint64_t position;
	bool collapse; /* make large folios of it */
};

extern const struct sample samples[];
extern const size_t n_samples;

/* A memfd as the sample says, its content from the seed. */
int sample_create(const struct sample *sample, uint64_t seed);
/* Dies if the file is not what sample_create() makes of the same seed. */
void sample_verify(const struct sample *sample, uint64_t seed, int fd);
void census_print(const char *label, int fd);

/* One file a verb; each returns the program's exit status. */
int verb_hold(int argc, char **argv);
int verb_verify(int argc, char **argv);
int verb_abort(int argc, char **argv);
int verb_refuse(int argc, char **argv);
int verb_limit(int argc, char **argv);
int verb_busy(int argc, char **argv);
int verb_folios(int argc, char **argv);
int verb_brink(int argc, char **argv);
int verb_swap(int argc, char **argv);
int verb_probe(int argc, char **argv);

#endif
