/* SPDX-License-Identifier: Apache-2.0
 *
 * CPU_CLONES in front of a function compiles it for several generations of x86-64 (v4: AVX-512, v3: AVX2 and FMA,
 * default: SSE2); the best one that the CPU runs is chosen when the program is loaded.  Plain loops are enough: the
 * compiler vectorises them.  On aarch64 every CPU has the same vectors, so there is nothing to choose.
 *
 * The clones differ in their last bits (FMA): a run's bits are promised for one CPU type. */
#ifndef BACKEND_CLONES_H
#define BACKEND_CLONES_H

/* GCC alone compiles one file for several CPUs; other compilers (clang) do for the CPU that their options name.  Before
 * version 12 it does not know the generations by name, and its clones can be told by one property only.
 *   CPU_V4, CPU_V3       for `#pragma GCC target`
 *   CPU_HAS_V4, _V3      whether this CPU runs what they compile to */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define CPU_GENERATIONS
#if __GNUC__ >= 12
#define CPU_V4        "arch=x86-64-v4"
#define CPU_V3        "arch=x86-64-v3"
#define CPU_V4_AND_V3 CPU_V4, CPU_V3
#define CPU_HAS_V4    __builtin_cpu_supports("x86-64-v4")
#define CPU_HAS_V3    __builtin_cpu_supports("x86-64-v3")
#else
#define CPU_V4        "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma,bmi2"
#define CPU_V3        "avx2,fma,bmi2"
#define CPU_V4_AND_V3 "avx512f", "avx2"
#define CPU_HAS_V4                                                                                                     \
    (__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && \
     CPU_HAS_V3)
#define CPU_HAS_V3 (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2"))
#endif
#endif

/* ThreadSanitizer cannot run the chooser: it is called before the sanitizer is set up. */
#if defined(CPU_GENERATIONS) && !defined(__SANITIZE_THREAD__)
#define CPU_CLONES __attribute__((target_clones(CPU_V4_AND_V3, "default")))
#else
#define CPU_CLONES
#endif

/* For the pieces of a cloned function: compiled for the same CPU as the function that they are used in. */
#define CPU_INLINE static inline __attribute__((always_inline))

#endif
