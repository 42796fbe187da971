/* SPDX-License-Identifier: Apache-2.0
 *
 * The number type of every tensor.  float in the programs.  The tests build the whole tree a second time with
 * CNN_DOUBLE, where only the ref backend exists: gradient checks and comparisons to 1e-9 need it. */
#ifndef BASE_REAL_H
#define BASE_REAL_H

#ifdef CNN_DOUBLE
typedef double Real;
#define REAL_IS_DOUBLE 1
#else
typedef float Real;
#define REAL_IS_DOUBLE 0
#endif

#endif
