/* SPDX-License-Identifier: Apache-2.0
 *
 * The extent of one example's tensor, without the batch dimension, the channel last: an image is {H, W, C}, a class
 * vector {C}, a scalar {} (rank 0).  The batch size stands beside it wherever it is needed. */
#ifndef BASE_SHAPE_H
#define BASE_SHAPE_H
#include <stdbool.h>
#include <stddef.h>

enum { SHAPE_MAX = 5, SHAPE_TEXT = 96 };

typedef struct Shape {
    size_t rank; /* number of dimensions, 0 .. SHAPE_MAX */
    size_t dim[SHAPE_MAX];
} Shape;

/* SHAPE(28, 28, 1): a Shape from its extents. */
#define SHAPE(...) ((Shape){sizeof((size_t[]){__VA_ARGS__}) / sizeof(size_t), {__VA_ARGS__}})

/* Product of the extents; 1 for rank 0. */
size_t shape_count(const Shape *shape);

bool shape_equal(const Shape *a, const Shape *b);

/* *out = the same with `rank` dimensions, where extents of 1 at the end make the difference: 96 is 96x1, 96x3x1 is
 * 96x3.  False: they do not. */
bool shape_to_rank(const Shape *shape, size_t rank, Shape *out);

/* Writes "28x28x1" ("scalar" for rank 0) and returns `text`. */
const char *shape_format(const Shape *shape, char text[SHAPE_TEXT]);

#endif
