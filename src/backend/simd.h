/* SPDX-License-Identifier: Apache-2.0
 *
 * Compiles a file of vector code once for each generation of x86-64 (v4: AVX-512, v3: AVX2 and FMA, v1: SSE2), once
 * elsewhere.  For code that needs to know how long a vector is and how many registers there are, which target_clones
 * (clones.h) does not tell; plain loops are better off with those.
 *
 *     #define SIMD_FILE "backend/gemm_kernel.h"
 *     #include "backend/simd.h"
 *
 * The file is included with SIMD_BYTES, the bytes of a vector, SIMD_REGISTERS, their number, and SIMD(name), which makes a
 * name of its own of each: `static void SIMD(add)(...)`.  Afterwards SIMD_BEST(add) is the one for this CPU.
 *
 * No include guard: one source file may use it for several. */
#include <stddef.h>

#define SIMD_PASTE(name, suffix)  name##_##suffix
#define SIMD_EXPAND(name, suffix) SIMD_PASTE(name, suffix)
#define SIMD(name)                SIMD_EXPAND(name, SIMD_SUFFIX)

#ifdef __x86_64__
#pragma GCC push_options
#pragma GCC target("arch=x86-64-v4,prefer-vector-width=512")
#define SIMD_SUFFIX    v4
#define SIMD_BYTES     64
#define SIMD_REGISTERS 32
#include SIMD_FILE
#undef SIMD_SUFFIX
#undef SIMD_BYTES
#undef SIMD_REGISTERS
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("arch=x86-64-v3")
#define SIMD_SUFFIX    v3
#define SIMD_BYTES     32
#define SIMD_REGISTERS 16
#include SIMD_FILE
#undef SIMD_SUFFIX
#undef SIMD_BYTES
#undef SIMD_REGISTERS
#pragma GCC pop_options

#define SIMD_REGISTERS 16
#define SIMD_BEST(name)                                                                                                \
    (__builtin_cpu_supports("x86-64-v4") ? name##_v4 : __builtin_cpu_supports("x86-64-v3") ? name##_v3 : name##_v1)
#else
#define SIMD_REGISTERS  32
#define SIMD_BEST(name) name##_v1
#endif
#define SIMD_SUFFIX v1
#define SIMD_BYTES  16
#include SIMD_FILE
#undef SIMD_SUFFIX
#undef SIMD_BYTES
#undef SIMD_REGISTERS
#undef SIMD_FILE
