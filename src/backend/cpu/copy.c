/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/cpu/cpu.h"
#include <string.h>

/* Operations that only move runs of adjacent elements: concat, pad2d, crop2d. */

static void move_run(const float *from, size_t count, bool add, float *to) {
    if (add)
        scale_values(from, count, 1, true, to);
    else
        memcpy(to, from, count * sizeof *to);
}

/* Elements of x that lie together in y: the axis and all after it. */
static size_t run_length(const Shape *x, size_t axis) {
    size_t count = 1;
    for (size_t i = axis; i < x->rank; i++)
        count *= x->dim[i];
    return count;
}

static void concat_forward(const OpDesc *op, const OpBuffers *b) {
    size_t y_run = run_length(&op->y, op->attr.axis), runs = total_count(op, &op->y) / y_run;
    float *y = b->y;
    for (size_t i = 0; i < op->inputs; i++) {
        size_t run = run_length(&op->x[i], op->attr.axis);
        for (size_t r = 0; r < runs; r++)
            memcpy(y + r * y_run, b->x[i] + r * run, run * sizeof *y);
        y += run;
    }
}

static void concat_backward(const OpDesc *op, const OpBuffers *b) {
    size_t y_run = run_length(&op->y, op->attr.axis), runs = total_count(op, &op->y) / y_run;
    const float *dy = b->dy;
    for (size_t i = 0; i < op->inputs; i++) {
        size_t run = run_length(&op->x[i], op->attr.axis);
        for (size_t r = 0; r < runs && b->dx[i]; r++)
            move_run(dy + r * y_run, run, b->dx_add[i], b->dx[i] + r * run);
        dy += run;
    }
}

const Kernel cpu_concat = {.forward = concat_forward, .backward = concat_backward};

/* Row i (of the n * height of `small`) of the smaller image inside the larger one, in rows. */
static size_t row_inside(const OpDesc *op, const Shape *small, const Shape *large, size_t i) {
    return i / small->dim[0] * large->dim[0] + op->attr.pad.amount[0][0] + i % small->dim[0];
}

/* Copies (or adds) the smaller image out of the larger one. */
static void take_inside(const OpDesc *op, const Shape *small, const float *from, const Shape *large, bool add,
                        float *to) {
    size_t run = small->dim[1] * small->dim[2], width = large->dim[1] * large->dim[2];
    size_t left = op->attr.pad.amount[1][0] * small->dim[2];
    for (size_t i = 0; i < op->n * small->dim[0]; i++)
        move_run(from + row_inside(op, small, large, i) * width + left, run, add, to + i * run);
}

/* The other way; what is outside is set to 0, or left as it is when `add`. */
static void put_inside(const OpDesc *op, const Shape *small, const float *from, const Shape *large, bool add,
                       float *to) {
    size_t run = small->dim[1] * small->dim[2], width = large->dim[1] * large->dim[2];
    size_t left = op->attr.pad.amount[1][0] * small->dim[2];
    if (!add)
        memset(to, 0, total_count(op, large) * sizeof *to);
    for (size_t i = 0; i < op->n * small->dim[0]; i++)
        move_run(from + i * run, run, add, to + row_inside(op, small, large, i) * width + left);
}

static void pad_forward(const OpDesc *op, const OpBuffers *b) {
    put_inside(op, &op->x[0], b->x[0], &op->y, false, b->y);
}

static void pad_backward(const OpDesc *op, const OpBuffers *b) {
    if (b->dx[0])
        take_inside(op, &op->x[0], b->dy, &op->y, b->dx_add[0], b->dx[0]);
}

static void crop_forward(const OpDesc *op, const OpBuffers *b) {
    take_inside(op, &op->y, b->x[0], &op->x[0], false, b->y);
}

static void crop_backward(const OpDesc *op, const OpBuffers *b) {
    if (b->dx[0])
        put_inside(op, &op->y, b->dy, &op->x[0], b->dx_add[0], b->dx[0]);
}

const Kernel cpu_pad2d = {.forward = pad_forward, .backward = pad_backward};
const Kernel cpu_crop2d = {.forward = crop_forward, .backward = crop_backward};
