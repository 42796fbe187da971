/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/cpu/cpu.h"
#include "backend/cpu/lanes.h"
#include <math.h>
#include <string.h>

/* layer_norm: a row is the last axes of one example, normalized by itself:
 *     xhat = (x - mean) scale,   scale = 1 / sqrt(variance + epsilon),   y = gamma xhat + beta
 *     dx = scale (g - mean(g) - xhat mean(g xhat)),   g = gamma dy
 * (J. Ba, J. Kiros, G. Hinton, "Layer normalization", 2016);  saved: (mean, scale) per row. */
typedef struct Rows {
    size_t count, width;
    float epsilon;
} Rows;

static Rows rows_of(const OpDesc *op) {
    const Shape *x = &op->x[0];
    size_t width = 1;
    for (size_t i = x->rank - op->attr.norm.axes; i < x->rank; i++)
        width *= x->dim[i];
    return (Rows){total_count(op, x) / width, width, (float)op->attr.norm.epsilon};
}

/* saved NULL: not kept. */
CPU_CLONES
static void normalize_rows(Rows rows, const float *x, const float *gamma, const float *beta, float *y, float *saved) {
    for (size_t r = 0; r < rows.count; r++, x += rows.width, y += rows.width) {
        float mean = sum_of(x, rows.width) / (float)rows.width;
        float scale = 1 / sqrtf(squares_of(x, mean, rows.width) / (float)rows.width + rows.epsilon);
        for (size_t i = 0; i < rows.width; i++)
            y[i] = (x[i] - mean) * scale * (gamma ? gamma[i] : 1) + (beta ? beta[i] : 0);
        if (saved)
            saved[2 * r] = mean, saved[2 * r + 1] = scale;
    }
}

static void forward(const OpDesc *op, const OpBuffers *b) {
    normalize_rows(rows_of(op), b->x[0], b->w[0], b->w[1], b->y, op->training ? b->saved : NULL);
}

/* g and xhat are scratch of one row. */
CPU_CLONES
static void input_gradient(Rows rows, const float *x, const float *dy, const float *gamma, const float *saved,
                           float *restrict g, float *restrict xhat, bool add, float *dx) {
    for (size_t r = 0; r < rows.count; r++, x += rows.width, dy += rows.width, dx += rows.width) {
        float mean = saved[2 * r], scale = saved[2 * r + 1];
        for (size_t i = 0; i < rows.width; i++) {
            g[i] = gamma ? gamma[i] * dy[i] : dy[i];
            xhat[i] = (x[i] - mean) * scale;
        }
        float shift = sum_of(g, rows.width) / (float)rows.width;
        float slope = product_of(g, xhat, rows.width) / (float)rows.width;
        for (size_t i = 0; i < rows.width; i++) {
            float value = scale * (g[i] - shift - xhat[i] * slope);
            dx[i] = add ? dx[i] + value : value;
        }
    }
}

/* dgamma [width] = sum over rows of dy xhat, in chunks of rows whose sums are `part`. */
CPU_CLONES
static void gamma_gradient(Rows rows, const float *x, const float *dy, const float *saved, float *restrict part,
                           bool add, float *restrict dgamma) {
    if (!add)
        memset(dgamma, 0, rows.width * sizeof *dgamma);
    for (size_t first = 0; first < rows.count; first += SUM_CHUNK) {
        memset(part, 0, rows.width * sizeof *part);
        for (size_t r = first; r < at_most(first + SUM_CHUNK, rows.count); r++) {
            float mean = saved[2 * r], scale = saved[2 * r + 1];
            for (size_t i = 0; i < rows.width; i++)
                part[i] += dy[r * rows.width + i] * (x[r * rows.width + i] - mean) * scale;
        }
        for (size_t i = 0; i < rows.width; i++)
            dgamma[i] += part[i];
    }
}

static void backward(const OpDesc *op, const OpBuffers *b) {
    Rows rows = rows_of(op);
    float *scratch = b->work;
    if (b->dw[0])
        gamma_gradient(rows, b->x[0], b->dy, b->saved, scratch, b->dw_add[0], b->dw[0]);
    if (b->dw[1])
        sum_rows(b->dy, rows.count, rows.width, 1, b->dw_add[1], b->dw[1]);
    if (b->dx[0])
        input_gradient(rows, b->x[0], b->dy, b->w[0], b->saved, scratch, scratch + rows.width, b->dx_add[0], b->dx[0]);
}

static void memory(const OpDesc *op, OpMemory *memory) {
    Rows rows = rows_of(op);
    if (!op->training)
        return;
    memory->saved_bytes = 2 * rows.count * sizeof(float);
    memory->work_bytes = 2 * rows.width * sizeof(float);
}

const Kernel cpu_layer_norm = {.forward = forward, .backward = backward, .memory = memory};
