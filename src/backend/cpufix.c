/* SPDX-License-Identifier: Apache-2.0
 *
 * What the numeric libraries do on this CPU: see select.h. */
#include "backend/select.h"
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __x86_64__
static bool has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool has_avx512(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#else
/* OpenBLAS has one good set of kernels for every aarch64. */
static bool has_avx2(void) {
    return false;
}

static bool has_avx512(void) {
    return false;
}
#endif

/* Kernels without FMA (OpenBLAS's own names): what it falls back to when it does not know a CPU.  A name that is not in
 * this list, such as a future one, is OpenBLAS's informed choice. */
static bool is_weak(const char *core) {
    static const char *const weak[] = {"Prescott", "Katmai",       "Coppermine", "Northwood", "Banias",     "Core2",
                                       "Penryn",   "Dunnington",   "Atom",       "Nano",      "Nehalem",    "Athlon",
                                       "Opteron",  "Opteron_SSE3", "Barcelona",  "Bobcat",    "Sandybridge"};
    for (size_t i = 0; i < sizeof weak / sizeof *weak; i++)
        if (strcasecmp(core, weak[i]) == 0)
            return true;
    return false;
}

/* OMP_NUM_THREADS, 1 when it is not set or no number. */
static int wanted_threads(void) {
    const char *text = getenv("OMP_NUM_THREADS");
    long threads = text ? strtol(text, NULL, 10) : 1;
    return threads >= 1 && threads <= 1024 ? (int)threads : 1;
}

void backend_fix_cpu(char **argv) {
    const char *core_variable = "OPENBLAS_CORETYPE";
    /* Set by us it also says that the program was executed again already: it is done at most once. */
    if (!getenv(core_variable) && has_avx2() && is_weak(openblas_get_corename())) {
        setenv(core_variable, has_avx512() ? "SkylakeX" : "Haswell", 1);
        execv("/proc/self/exe", argv);
        /* Only here when that failed (no /proc, say): slow, but right.  Children should not inherit the attempt. */
        unsetenv(core_variable);
    }
    openblas_set_num_threads(wanted_threads());
    backend_set_threads(wanted_threads());
}

const char *backend_describe(char *text, size_t size) {
    char version[32] = "?";
    sscanf(openblas_get_config(), "OpenBLAS %31s", version);
    int threads = openblas_get_num_threads();
    size_t used = backend_describe_libraries(text, size);
    snprintf(text + used, size - used, "openblas %s %s, %s, %d thread%s", version, openblas_get_corename(),
             has_avx512() ? "avx512"
             : has_avx2() ? "avx2"
                          : "baseline",
             threads, threads == 1 ? "" : "s");
    return text;
}
