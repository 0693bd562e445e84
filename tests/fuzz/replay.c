/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "kho/core/cleanup.h"
#include "tests/fuzz/fuzz.h"

#define INPUT_MAX (1 << 20)
#ifndef SPOILT_INPUTS
#define SPOILT_INPUTS 2000
#endif

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* A generator of numbers that are the same in every run that begins with the same state, not 0. */
static uint32_t next_number(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static void spoil(uint8_t *data, size_t size, uint32_t *state)
{
	static const uint8_t interesting[] = {0x00, 0x01, 0x02, 0x03, 0x04, 0x09, 0x7f, 0xff};

	for (uint32_t n = 1 + next_number(state) % 4; n > 0 && size > 0; n--) {
		uint8_t *byte = &data[next_number(state) % size];

		if (next_number(state) % 2)
			*byte = interesting[next_number(state) % sizeof(interesting)];
		else
			*byte ^= (uint8_t)(1u << next_number(state) % 8);
	}
}

/* The input as it is, then SPOILT_INPUTS times with up to four bytes changed. */
static int replay(const uint8_t *data, size_t size, uint32_t state)
{
	LLVMFuzzerTestOneInput(data, size);
	for (int i = 0; i < SPOILT_INPUTS; i++) {
		/* Of exactly that size, for a sanitizer to see what is read behind it. */
		_cleanup_free_ uint8_t *spoilt = malloc(size ? size : 1);

		if (!spoilt)
			return -ENOMEM;
		memcpy(spoilt, data, size);
		spoil(spoilt, size, &state);
		LLVMFuzzerTestOneInput(spoilt, size);
	}
	return 0;
}

static int replay_file(const char *directory, const char *name, uint32_t seed)
{
	_cleanup_free_ uint8_t *data = malloc(INPUT_MAX);
	_cleanup_free_ char *path = NULL;
	_cleanup_fclose_ FILE *f = NULL;
	size_t size;

	if (!data || asprintf(&path, "%s/%s", directory, name) < 0)
		return -ENOMEM;
	f = fopen(path, "re");
	if (!f) {
		fprintf(stderr, "%s: %m\n", path);
		return -errno;
	}
	size = fread(data, 1, INPUT_MAX, f);
	if (ferror(f) || size == INPUT_MAX) {
		fprintf(stderr, "%s: can't be read, or 1 MiB and more\n", path);
		return -EIO;
	}
	printf("%s: %zu bytes, seed %u\n", path, size, seed);
	fflush(stdout);
	return replay(data, size, seed);
}

/* Replays the files of the directory; returns their number. */
static int replay_directory(const char *path, uint32_t seed)
{
	_cleanup_(closedirp) DIR *directory = opendir(path);
	struct dirent *entry;
	int n = 0, r;

	if (!directory) {
		fprintf(stderr, "%s: %m\n", path);
		return -errno;
	}
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		r = replay_file(path, entry->d_name, seed);
		if (r < 0)
			return r;
		n++;
	}
	return n;
}

/* The environment's number, or what stands in for it. */
static uint32_t number_from(const char *variable, uint32_t otherwise)
{
	const char *value = getenv(variable);

	return value ? (uint32_t)strtoul(value, NULL, 10) : otherwise;
}

/* The corpus, again and again with other spoilt inputs until $FUZZ_SECONDS have passed: without it,
 * once. What is found is found again with the $FUZZ_SEED that was printed last.
 */
static int replay_for_a_while(const char *path)
{
	uint32_t seed = number_from("FUZZ_SEED", 2463534242u);
	time_t end = time(NULL) + number_from("FUZZ_SECONDS", 0);
	int n;

	do
		n = replay_directory(path, seed++ | 1u << 31);
	while (n > 0 && time(NULL) < end);
	return n;
}

int main(int argc, char **argv)
{
	_cleanup_free_ char *standard = NULL;
	const char *source = getenv("srcdir"), *path = argv[1];
	int n;

	if (!path && asprintf(&standard, "%s/tests/fuzz/corpus/" CORPUS, source ? source : ".") > 0)
		path = standard;
	n = path ? replay_for_a_while(path) : -ENOMEM;
	if (n == 0)
		fprintf(stderr, "%s: no inputs\n", path);
	return n > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
