/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/fuzz.h"
#include "base/log.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    log_set_program("fuzz");
    log_set_level(LOG_QUIET);
    log_set_rank(1, 2, "host"); /* no warnings */
    return 0;
}

const char *fuzz_path(const uint8_t *data, size_t size) {
    static int file = -1;
    static char path[40];
    if (file < 0)
        file = memfd_create("fuzz", 0);
    if (file < 0 || ftruncate(file, 0) != 0 || pwrite(file, data, size, 0) != (ssize_t)size)
        fuzz_fail("cannot make a file in memory");
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    return path;
}

void fuzz_fail(const char *what) {
    fprintf(stderr, "fuzz: %s\n", what);
    abort();
}

#ifdef CNN_FUZZING
/* The guard would end the process quietly on a crash inside HDF5: here the sanitizers shall see it. */
#include "base/crash.h"

void crash_guard(const char *file, const char *cause) {
    (void)file, (void)cause;
}

void crash_unguard(void) {
}

void crash_expect(const char *cause) {
    (void)cause;
}

void crash_map(const char *file, const void *bytes, size_t size) {
    (void)file, (void)bytes, (void)size;
}

void crash_unmap(const void *bytes) {
    (void)bytes;
}
#endif
