/* SPDX-License-Identifier: Apache-2.0
 *
 * What the fuzzed parsers share.  Each fuzz_<target>.c is one function that feeds bytes to a parser.  tests/fuzz/run
 * builds it with libFuzzer; the default suite runs it over the files of corpus/<target>. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H
#include <stddef.h>
#include <stdint.h>

/* Feeds one input; returns 0.  Must free all that it allocates. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Called once, before the first input. */
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* A path under which those bytes can be read, until the next call.  Nothing is written to a disk. */
const char *fuzz_path(const uint8_t *data, size_t size);

/* Ends the process with a message: a parser accepted what it does not reproduce. */
void fuzz_fail(const char *what);

#endif
