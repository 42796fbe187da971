/* SPDX-License-Identifier: Apache-2.0
 *
 * Pooling.  The windows are clipped to the image, so that padding neither wins a maximum nor counts in an average (as
 * in TensorFlow).  A global pool is one window over the whole image. */
#include "backend/ref/ref.h"
#include <math.h>
#include <string.h>

/* The part of one window that lies in the image: rows [top, bottom), columns [left, right). */
typedef struct Box {
    size_t top, bottom, left, right;
} Box;

static void clip(const OpDesc *op, int axis, size_t out, size_t *first, size_t *end) {
    const PoolAttr *a = &op->attr.pool;
    size_t start = out * a->stride[axis], before = a->pad[axis][0], length = op->x[0].dim[axis];
    *first = start > before ? start - before : 0;
    *end = start + a->size[axis] - before;
    if (*end > length)
        *end = length;
}

static bool is_global(const OpDesc *op) {
    return op->kind == OP_GLOBAL_MAX_POOL2D || op->kind == OP_GLOBAL_AVERAGE_POOL2D;
}

/* The box of the window number `window`, counted over the rows and columns of y. */
static Box box_of(const OpDesc *op, size_t window) {
    Box box = {0, op->x[0].dim[0], 0, op->x[0].dim[1]};
    if (!is_global(op)) {
        clip(op, 0, window / op->y.dim[1], &box.top, &box.bottom);
        clip(op, 1, window % op->y.dim[1], &box.left, &box.right);
    }
    return box;
}

static size_t channels(const OpDesc *op) {
    return op->x[0].dim[2];
}

static size_t windows(const OpDesc *op) {
    return shape_count(&op->y) / channels(op);
}

static void zero_unless_added(const OpDesc *op, const OpBuffers *b) {
    if (!b->dx_add[0])
        memset(b->dx[0], 0, op->n * shape_count(&op->x[0]) * sizeof(Real));
}

/* Index in the image of channel c's first maximum in the box; of its first NaN if there is one. */
static size_t find_max(const OpDesc *op, const Real *image, Box box, size_t c) {
    size_t C = channels(op), W = op->x[0].dim[1], best = (box.top * W + box.left) * C + c;
    for (size_t h = box.top; h < box.bottom; h++)
        for (size_t w = box.left; w < box.right; w++) {
            size_t i = (h * W + w) * C + c;
            if (image[i] > image[best] || (isnan(image[i]) && !isnan(image[best])))
                best = i;
        }
    return best;
}

/* saved: for each element of y the index in its example's image that it came from. */
static void max_memory(const OpDesc *op, OpMemory *memory) {
    if (op->training)
        memory->saved_bytes = op->n * shape_count(&op->y) * sizeof(size_t);
}

static void max_forward(const OpDesc *op, const OpBuffers *b) {
    size_t C = channels(op), count = shape_count(&op->y), *saved = b->saved;
    for (size_t i = 0; i < op->n * count; i++) {
        const Real *image = b->x[0] + i / count * shape_count(&op->x[0]);
        size_t best = find_max(op, image, box_of(op, i % count / C), i % C);
        b->y[i] = image[best];
        if (op->training)
            saved[i] = best;
    }
}

static void max_backward(const OpDesc *op, const OpBuffers *b) {
    size_t count = shape_count(&op->y);
    const size_t *saved = b->saved;
    if (!b->dx[0])
        return;
    zero_unless_added(op, b);
    for (size_t i = 0; i < op->n * count; i++)
        b->dx[0][i / count * shape_count(&op->x[0]) + saved[i]] += b->dy[i];
}

static Real pixels(Box box) {
    return (Real)((box.bottom - box.top) * (box.right - box.left));
}

static void average_forward(const OpDesc *op, const OpBuffers *b) {
    size_t C = channels(op), W = op->x[0].dim[1];
    for (size_t n = 0; n < op->n; n++)
        for (size_t i = 0; i < windows(op); i++) {
            const Real *image = b->x[0] + n * shape_count(&op->x[0]);
            Real *y = b->y + (n * windows(op) + i) * C;
            Box box = box_of(op, i);
            memset(y, 0, C * sizeof *y);
            for (size_t h = box.top; h < box.bottom; h++)
                for (size_t w = box.left; w < box.right; w++)
                    for (size_t c = 0; c < C; c++)
                        y[c] += image[(h * W + w) * C + c];
            for (size_t c = 0; c < C; c++)
                y[c] /= pixels(box);
        }
}

static void average_backward(const OpDesc *op, const OpBuffers *b) {
    size_t C = channels(op), W = op->x[0].dim[1];
    if (!b->dx[0])
        return;
    zero_unless_added(op, b);
    for (size_t n = 0; n < op->n; n++)
        for (size_t i = 0; i < windows(op); i++) {
            Real *image = b->dx[0] + n * shape_count(&op->x[0]);
            const Real *dy = b->dy + (n * windows(op) + i) * C;
            Box box = box_of(op, i);
            for (size_t h = box.top; h < box.bottom; h++)
                for (size_t w = box.left; w < box.right; w++)
                    for (size_t c = 0; c < C; c++)
                        image[(h * W + w) * C + c] += dy[c] / pixels(box);
        }
}

const Kernel ref_max_pool2d = {.forward = max_forward, .backward = max_backward, .memory = max_memory};
const Kernel ref_global_max_pool2d = {.forward = max_forward, .backward = max_backward, .memory = max_memory};
const Kernel ref_average_pool2d = {.forward = average_forward, .backward = average_backward};
const Kernel ref_global_average_pool2d = {.forward = average_forward, .backward = average_backward};
