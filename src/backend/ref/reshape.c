/* SPDX-License-Identifier: Apache-2.0
 *
 * Operations that only move elements.  Each says which element of y is which element of x; forward copies along that
 * map, backward copies (or adds) against it. */
#include "backend/ref/ref.h"
#include <string.h>

static void put(Real *to, Real value, bool add) {
    *to = add ? *to + value : value;
}

/* Index in x, of one example, of what the permutation brings to element `i` of y. */
static size_t permute_source(const OpDesc *op, size_t i) {
    size_t stride[SHAPE_MAX] = {0}, step = 1, source = 0;
    for (size_t axis = op->x[0].rank; axis-- > 0;) {
        stride[axis] = step;
        step *= op->x[0].dim[axis];
    }
    for (size_t axis = op->y.rank; axis-- > 0;) {
        source += i % op->y.dim[axis] * stride[op->attr.permute.axis[axis]];
        i /= op->y.dim[axis];
    }
    return source;
}

static void permute_forward(const OpDesc *op, const OpBuffers *b) {
    size_t count = shape_count(&op->y);
    for (size_t i = 0; i < op->n * count; i++)
        b->y[i] = b->x[0][i / count * count + permute_source(op, i % count)];
}

static void permute_backward(const OpDesc *op, const OpBuffers *b) {
    size_t count = shape_count(&op->y);
    for (size_t i = 0; b->dx[0] && i < op->n * count; i++)
        put(&b->dx[0][i / count * count + permute_source(op, i % count)], b->dy[i], b->dx_add[0]);
}

/* Padding and cropping: a small image lies in a large one at (amount before, amount before). */
typedef struct Frame {
    size_t n, top, left, C;
    const size_t *small, *large; /* [H, W, C] */
} Frame;

static Frame frame(const OpDesc *op, const Shape *small, const Shape *large) {
    return (Frame){.n = op->n,
                   .top = op->attr.pad.amount[0][0],
                   .left = op->attr.pad.amount[1][0],
                   .C = small->dim[2],
                   .small = small->dim,
                   .large = large->dim};
}

/* Row `row` (of n H) of the small image, within the large one. */
static size_t place_of_row(const Frame *f, size_t row) {
    size_t n = row / f->small[0], h = row % f->small[0];
    return ((n * f->large[0] + h + f->top) * f->large[1] + f->left) * f->C;
}

/* small = or += the part of large. */
static void cut_out(const Frame *f, const Real *large, Real *small, bool add) {
    size_t width = f->small[1] * f->C;
    for (size_t row = 0; row < f->n * f->small[0]; row++)
        for (size_t i = 0; i < width; i++)
            put(&small[row * width + i], large[place_of_row(f, row) + i], add);
}

/* large = or += small, surrounded by zeros. */
static void put_in(const Frame *f, const Real *small, Real *large, bool add) {
    size_t width = f->small[1] * f->C;
    if (!add)
        memset(large, 0, f->n * f->large[0] * f->large[1] * f->C * sizeof *large);
    for (size_t row = 0; row < f->n * f->small[0]; row++)
        for (size_t i = 0; i < width; i++)
            large[place_of_row(f, row) + i] += small[row * width + i];
}

static void pad2d_forward(const OpDesc *op, const OpBuffers *b) {
    Frame f = frame(op, &op->x[0], &op->y);
    put_in(&f, b->x[0], b->y, false);
}

static void pad2d_backward(const OpDesc *op, const OpBuffers *b) {
    Frame f = frame(op, &op->x[0], &op->y);
    if (b->dx[0])
        cut_out(&f, b->dy, b->dx[0], b->dx_add[0]);
}

static void crop2d_forward(const OpDesc *op, const OpBuffers *b) {
    Frame f = frame(op, &op->y, &op->x[0]);
    cut_out(&f, b->x[0], b->y, false);
}

static void crop2d_backward(const OpDesc *op, const OpBuffers *b) {
    Frame f = frame(op, &op->y, &op->x[0]);
    if (b->dx[0])
        put_in(&f, b->dy, b->dx[0], b->dx_add[0]);
}

/* Elements of one example from `axis` on: of an input this is one contiguous piece of y. */
static size_t piece(const Shape *shape, size_t axis) {
    size_t count = 1;
    for (size_t i = axis; i < shape->rank; i++)
        count *= shape->dim[i];
    return count;
}

static void concat_forward(const OpDesc *op, const OpBuffers *b) {
    size_t width = piece(&op->y, op->attr.axis), pieces = op->n * shape_count(&op->y) / width, offset = 0;
    for (size_t i = 0; i < op->inputs; i++) {
        size_t part = piece(&op->x[i], op->attr.axis);
        for (size_t k = 0; k < pieces; k++)
            memcpy(b->y + k * width + offset, b->x[i] + k * part, part * sizeof(Real));
        offset += part;
    }
}

static void concat_backward(const OpDesc *op, const OpBuffers *b) {
    size_t width = piece(&op->y, op->attr.axis), pieces = op->n * shape_count(&op->y) / width, offset = 0;
    for (size_t i = 0; i < op->inputs; i++) {
        size_t part = piece(&op->x[i], op->attr.axis);
        for (size_t k = 0; b->dx[i] && k < pieces * part; k++)
            put(&b->dx[i][k], b->dy[k / part * width + offset + k % part], b->dx_add[i]);
        offset += part;
    }
}

const Kernel ref_input = {0};
const Kernel ref_reshape = {0};
const Kernel ref_permute = {.forward = permute_forward, .backward = permute_backward};
const Kernel ref_pad2d = {.forward = pad2d_forward, .backward = pad2d_backward};
const Kernel ref_crop2d = {.forward = crop2d_forward, .backward = crop2d_backward};
const Kernel ref_concat = {.forward = concat_forward, .backward = concat_backward};
