/* SPDX-License-Identifier: Apache-2.0
 *
 * CPU_CLONES in front of a function compiles it for several generations of x86-64 (v4: AVX-512, v3: AVX2 and FMA, default:
 * SSE2); the best one that the CPU runs is chosen when the program is loaded.  Plain loops are enough: the compiler
 * vectorises them.  On aarch64 every CPU has the same vectors, so there is nothing to choose.
 *
 * The clones differ in their last bits (FMA): a run's bits are promised for one CPU type. */
#ifndef BACKEND_CLONES_H
#define BACKEND_CLONES_H

/* ThreadSanitizer cannot run the chooser: it is called before the sanitizer is set up. */
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
#define CPU_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CPU_CLONES
#endif

/* For the pieces of a cloned function: compiled for the same CPU as the function that they are used in. */
#define CPU_INLINE static inline __attribute__((always_inline))

#endif
