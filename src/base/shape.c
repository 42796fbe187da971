/* SPDX-License-Identifier: Apache-2.0 */
#include "base/shape.h"
#include <stdio.h>

size_t shape_count(const Shape *shape) {
    size_t count = 1;
    for (size_t i = 0; i < shape->rank; i++)
        count *= shape->dim[i];
    return count;
}

bool shape_equal(const Shape *a, const Shape *b) {
    if (a->rank != b->rank)
        return false;
    for (size_t i = 0; i < a->rank; i++)
        if (a->dim[i] != b->dim[i])
            return false;
    return true;
}

bool shape_to_rank(const Shape *shape, size_t rank, Shape *out) {
    *out = *shape;
    while (out->rank > rank && out->dim[out->rank - 1] == 1)
        out->dim[--out->rank] = 0;
    while (out->rank < rank && out->rank < SHAPE_MAX)
        out->dim[out->rank++] = 1;
    return out->rank == rank;
}

const char *shape_format(const Shape *shape, char text[SHAPE_TEXT]) {
    int used = 0;
    if (shape->rank == 0)
        snprintf(text, SHAPE_TEXT, "scalar");
    for (size_t i = 0; i < shape->rank; i++)
        used += snprintf(text + used, (size_t)(SHAPE_TEXT - used), "%s%zu", i ? "x" : "", shape->dim[i]);
    return text;
}
