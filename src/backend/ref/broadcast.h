/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BACKEND_REF_BROADCAST_H
#define BACKEND_REF_BROADCAST_H
#include "base/shape.h"

/* Where element k of a tensor of shape `y` finds its value in a tensor of shape `x` that is repeated to that shape:
 * axes are aligned at the last one, those of extent 1 are repeated.  x.rank <= y.rank. */
static inline size_t broadcast_index(const Shape *x, const Shape *y, size_t k) {
    size_t index = 0, stride = 1;
    for (size_t a = 1; a <= x->rank; a++) {
        size_t extent = x->dim[x->rank - a], wide = y->dim[y->rank - a];
        if (extent != 1)
            index += k % wide * stride;
        k /= wide;
        stride *= extent;
    }
    return index;
}

#endif
