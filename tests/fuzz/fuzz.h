/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/*
 * A fuzz target, as libFuzzer calls it. Two ways to run one:
 *
 *   make check                       replays its corpus, and spoils each file of it a little
 *   clang -std=gnu17 -D_GNU_SOURCE -g -O1 -I. -fsanitize=fuzzer,address,undefined \
 *       tests/fuzz/fuzz-tree.c $(ls kho/core/[!u]*.c) -lfdt -lxxhash -o fuzz-tree
 *   ./fuzz-tree tests/fuzz/corpus/tree    looks for inputs that break it, until stopped
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
