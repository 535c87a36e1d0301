// SPDX-License-Identifier: MIT
// What every fuzz target needs. Each is a libFuzzer target; replay.c runs one without libFuzzer.
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// A broken promise is a crash, which the fuzzer keeps the input of.
#define FUZZ_CHECK(condition) ((condition) ? (void)0 : __builtin_trap())

#endif
