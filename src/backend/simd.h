/* SPDX-License-Identifier: Apache-2.0
 *
 * Compiles a file of vector code once for each generation of x86-64 (v4: AVX-512, v3: AVX2 and FMA, v1: SSE2), once
 * elsewhere.  For code that needs to know how long a vector is and how many registers there are, which target_clones
 * (clones.h) does not tell; plain loops are better off with those.
 *
 *     #define SIMD_FILE "backend/gemm_kernel.h"
 *     #include "backend/simd.h"
 *
 * The file is included with SIMD_BYTES, the bytes of a vector, SIMD_REGISTERS, their number, and SIMD(name), which
 * makes a name of its own of each: `static void SIMD(add)(...)`.  Afterwards SIMD_BEST(add) is the one for this CPU.
 *
 * No include guard: one source file may use it for several. */
#include "backend/clones.h"
#include <stddef.h>

#define SIMD_PASTE(name, suffix)  name##_##suffix
#define SIMD_EXPAND(name, suffix) SIMD_PASTE(name, suffix)
#define SIMD(name)                SIMD_EXPAND(name, SIMD_SUFFIX)

/* The vector whose element l is element lane[l] of a followed by b; `lane` is known at compile time.  Clang has no
 * builtin for it, but finds the instructions. */
#ifdef __clang__
#define SIMD_SHUFFLE(a, b, lane)                                                                                       \
    ({                                                                                                                 \
        __typeof__(a) shuffled;                                                                                        \
        _Pragma("GCC unroll 16") for (int l = 0; l < SIMD(LANES); l++) shuffled[l] =                                   \
            (lane)[l] < SIMD(LANES) ? (a)[(lane)[l]] : (b)[(lane)[l] - SIMD(LANES)];                                   \
        shuffled;                                                                                                      \
    })
#else
#define SIMD_SHUFFLE(a, b, lane) __builtin_shuffle(a, b, lane)
#endif

#ifdef CPU_GENERATIONS
#define SIMD_PRAGMA(...) _Pragma(#__VA_ARGS__)
#define SIMD_TARGET(...) SIMD_PRAGMA(GCC target(__VA_ARGS__))
#pragma GCC push_options
SIMD_TARGET(CPU_V4, "prefer-vector-width=512")
#define SIMD_SUFFIX    v4
#define SIMD_BYTES     64
#define SIMD_REGISTERS 32
#include SIMD_FILE
#undef SIMD_SUFFIX
#undef SIMD_BYTES
#undef SIMD_REGISTERS
#pragma GCC pop_options

#pragma GCC push_options
SIMD_TARGET(CPU_V3)
#define SIMD_SUFFIX    v3
#define SIMD_BYTES     32
#define SIMD_REGISTERS 16
#include SIMD_FILE
#undef SIMD_SUFFIX
#undef SIMD_BYTES
#undef SIMD_REGISTERS
#pragma GCC pop_options

#define SIMD_BEST(name) (CPU_HAS_V4 ? name##_v4 : CPU_HAS_V3 ? name##_v3 : name##_v1)
#else
#define SIMD_BEST(name) name##_v1
#endif
#ifdef __x86_64__
#define SIMD_REGISTERS 16
#else
#define SIMD_REGISTERS 32
#endif
#define SIMD_SUFFIX v1
#define SIMD_BYTES  16
#include SIMD_FILE
#undef SIMD_SUFFIX
#undef SIMD_BYTES
#undef SIMD_REGISTERS
#undef SIMD_FILE
