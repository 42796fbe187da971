/* SPDX-License-Identifier: Apache-2.0
 *
 * NumPy's arrays (numpy.lib.format, versions 1 to 3): whole numbers, truth values and floating-point numbers of any
 * byte order, rows first (C) or columns first (Fortran).  Python objects, which are pickled, are refused: unpickling
 * runs code. */
#ifndef IO_NPY_H
#define IO_NPY_H
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NPY_RANK_MAX = 8 };

typedef struct Npy {
    const uint8_t *data; /* borrowed: into the bytes given */
    char kind;           /* 'b' truth, 'i' signed, 'u' unsigned, 'f' floating-point */
    size_t size;         /* bytes of a number: 1, 2, 4, 8 */
    bool swapped;        /* its bytes are in the other order than this computer's */
    size_t rank, dim[NPY_RANK_MAX];
    size_t stride[NPY_RANK_MAX]; /* bytes from one index to the next */
} Npy;

/* Of the bytes of a .npy file, which must stay; `name` is for messages.
 * STATUS_FAILED: no such file, damaged, cut off, objects, numbers or rank of no use here. */
Status npy_open(const char *name, const uint8_t *bytes, size_t size, Npy *out);

/* values[product of dim[1..]] = the numbers of row i, the last index running fastest; rank >= 1.  Of 64-bit numbers a
 * double holds 53. */
void npy_row(const Npy *array, size_t i, double *values);

#endif
