/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/cpu/cpu.h"
#include <math.h>
#include <string.h>

/* batch_norm over rows [n * positions, C]:
 *     xhat = (x - mean) scale,   scale = 1 / sqrt(variance + epsilon),   y = gamma xhat + beta
 *     dx = gamma scale (dy - mean(dy) - xhat mean(dy xhat)),   without the means when the statistics are not the batch's
 * (S. Ioffe, C. Szegedy, "Batch normalization", 2015). */

/* The columns of `totals` while the micro-batch is collected; `scale` holds the squares until the last slice. */
typedef struct Totals {
    float *seen; /* rows so far, in the first element */
    float *mean, *scale, *sum, *sum_xhat;
} Totals;

static Totals totals_of(const OpDesc *op, const OpBuffers *b) {
    size_t columns = channels_of(&op->x[0]);
    float *first = (float *)b->totals + 16;
    return (Totals){b->totals, first, first + columns, first + 2 * columns, first + 3 * columns};
}

static size_t rows_of(const OpDesc *op) {
    return total_count(op, &op->x[0]) / channels_of(&op->x[0]);
}

/* Mean and sum of squared differences from it, of `width` columns.  A chunk of rows (in L1 or L2) is passed twice, and
 * chunks are merged as in T. Chan, G. Golub, R. LeVeque, "Updating formulae and a pairwise algorithm for computing sample
 * variances", 1979: exact to rounding, and x is read from memory once. */
CPU_CLONES
static void moments_tile(const float *x, size_t rows, size_t columns, size_t width, size_t seen, float *restrict mean,
                         float *restrict squares) {
    for (size_t first = 0; first < rows; first += SUM_CHUNK) {
        size_t end = at_most(first + SUM_CHUNK, rows);
        float part[COLUMN_TILE] = {0}, part_squares[COLUMN_TILE] = {0};
        for (size_t i = first; i < end; i++)
            for (size_t c = 0; c < width; c++)
                part[c] += x[i * columns + c];
        for (size_t c = 0; c < width; c++)
            part[c] /= (float)(end - first);
        for (size_t i = first; i < end; i++)
            for (size_t c = 0; c < width; c++) {
                float d = x[i * columns + c] - part[c];
                part_squares[c] += d * d;
            }
        float share = (float)(end - first) / (float)(seen + end), weight = (float)(seen + first) * share;
        for (size_t c = 0; c < width; c++) {
            float d = part[c] - mean[c];
            mean[c] += d * share;
            squares[c] += part_squares[c] + d * d * weight;
        }
    }
}

/* What a trainer's moving averages are made of. */
static void give_statistic(const OpDesc *op, const OpBuffers *b, size_t slot, const float *values) {
    if (b->dw[slot])
        scale_values(values, channels_of(&op->x[0]), (float)op->batch, b->dw_add[slot], b->dw[slot]);
}

static void to_scale(const OpDesc *op, const float *variance, float *scale) {
    for (size_t c = 0; c < channels_of(&op->x[0]); c++)
        scale[c] = 1 / sqrtf(variance[c] + (float)op->attr.norm.epsilon);
}

static void batch_norm_collect(const OpDesc *op, const OpBuffers *b) {
    size_t rows = rows_of(op), columns = channels_of(&op->x[0]);
    Totals t = totals_of(op, b);
    if (b->first)
        memset(b->totals, 0, (16 + 2 * columns) * sizeof(float));
    for (size_t c = 0; c < columns; c += COLUMN_TILE)
        moments_tile(b->x[0] + c, rows, columns, at_most(columns - c, COLUMN_TILE), (size_t)*t.seen, t.mean + c,
                     t.scale + c);
    *t.seen += (float)rows;
    if (!b->last)
        return;
    scale_values(t.scale, columns, 1 / *t.seen, false, t.scale);
    give_statistic(op, b, 2, t.mean);
    give_statistic(op, b, 3, t.scale);
    to_scale(op, t.scale, t.scale);
}

/* y = (x - mean) factor + offset, per column. */
CPU_CLONES
static void affine_rows(const float *x, size_t rows, size_t columns, const float *mean, const float *factor,
                        const float *offset, float *y) {
    for (size_t i = 0; i < rows; i++)
#pragma GCC ivdep
        for (size_t c = 0; c < columns; c++)
            y[i * columns + c] = (x[i * columns + c] - mean[c]) * factor[c] + offset[c];
}

/* mean [C] and scale [C]: of the batch, or the moving ones. */
static const float *mean_and_scale(const OpDesc *op, const OpBuffers *b, float *work, const float **scale) {
    Totals t = totals_of(op, b);
    *scale = op_collects(op) ? t.scale : work;
    if (!op_collects(op))
        to_scale(op, b->w[3], work);
    return op_collects(op) ? t.mean : b->w[2];
}

/* `work` holds what the loops over all rows need per column. */
static void batch_norm_forward(const OpDesc *op, const OpBuffers *b) {
    size_t columns = channels_of(&op->x[0]);
    float *factor = (float *)b->work + columns, *offset = factor + columns;
    const float *scale, *mean = mean_and_scale(op, b, b->work, &scale);
    for (size_t c = 0; c < columns; c++) {
        factor[c] = b->w[0] ? b->w[0][c] * scale[c] : scale[c];
        offset[c] = b->w[1] ? b->w[1][c] : 0;
    }
    affine_rows(b->x[0], rows_of(op), columns, mean, factor, offset, b->y);
    if (op->inputs > 1)
        scale_values(b->x[1], total_count(op, &op->y), 1, true, b->y);
}

/* sum [width] = sum of dy, sum_xhat = sum of dy xhat, by chunks of rows. */
CPU_CLONES
static void gradient_sums(const float *x, const float *dy, size_t rows, size_t columns, size_t width, const float *mean,
                          const float *scale, float *restrict sum, float *restrict sum_xhat) {
    for (size_t first = 0; first < rows; first += SUM_CHUNK) {
        float part[COLUMN_TILE] = {0}, part_xhat[COLUMN_TILE] = {0};
        for (size_t i = first; i < at_most(first + SUM_CHUNK, rows); i++)
            for (size_t c = 0; c < width; c++) {
                float g = dy[i * columns + c];
                part[c] += g;
                part_xhat[c] += g * (x[i * columns + c] - mean[c]);
            }
        for (size_t c = 0; c < width; c++) {
            sum[c] += part[c];
            sum_xhat[c] += part_xhat[c] * scale[c];
        }
    }
}

/* dx = factor (dy - shift - (x - mean) slope), per column. */
CPU_CLONES
static void input_gradient(const float *x, const float *dy, size_t rows, size_t columns, const float *mean,
                           const float *factor, const float *shift, const float *slope, bool add, float *dx) {
    for (size_t i = 0; i < rows; i++)
#pragma GCC ivdep
        for (size_t c = 0; c < columns; c++) {
            size_t at = i * columns + c;
            float value = factor[c] * (dy[at] - shift[c] - (x[at] - mean[c]) * slope[c]);
            dx[at] = add ? dx[at] + value : value;
        }
}

static void add_sums(const OpDesc *op, const OpBuffers *b, const float *mean, const float *scale, float *sum,
                     float *sum_xhat) {
    size_t columns = channels_of(&op->x[0]);
    for (size_t c = 0; c < columns; c += COLUMN_TILE)
        gradient_sums(b->x[0] + c, b->dy + c, rows_of(op), columns, at_most(columns - c, COLUMN_TILE), mean + c,
                      scale + c, sum + c, sum_xhat + c);
}

static void give_gradients(const OpDesc *op, const OpBuffers *b, const float *sum, const float *sum_xhat) {
    if (b->dw[0])
        scale_values(sum_xhat, channels_of(&op->x[0]), 1, b->dw_add[0], b->dw[0]);
    if (b->dw[1])
        scale_values(sum, channels_of(&op->x[0]), 1, b->dw_add[1], b->dw[1]);
}

static void batch_norm_collect_backward(const OpDesc *op, const OpBuffers *b) {
    size_t columns = channels_of(&op->x[0]);
    Totals t = totals_of(op, b);
    if (b->first)
        memset(t.sum, 0, 2 * columns * sizeof *t.sum);
    add_sums(op, b, t.mean, t.scale, t.sum, t.sum_xhat);
    if (b->last)
        give_gradients(op, b, t.sum, t.sum_xhat);
}

static void batch_norm_backward(const OpDesc *op, const OpBuffers *b) {
    size_t columns = channels_of(&op->x[0]);
    float *sum = (float *)b->work + columns, *sum_xhat = sum + columns, *factor = sum_xhat + columns;
    const float *scale, *mean = mean_and_scale(op, b, b->work, &scale);
    Totals t = totals_of(op, b);
    float share = op_collects(op) ? 1 / *t.seen : 0;
    memset(sum, 0, 2 * columns * sizeof *sum);
    if (!op_collects(op)) {
        add_sums(op, b, mean, scale, sum, sum_xhat);
        give_gradients(op, b, sum, sum_xhat);
    }
    for (size_t c = 0; c < columns; c++) {
        factor[c] = b->w[0] ? b->w[0][c] * scale[c] : scale[c];
        sum[c] = op_collects(op) ? share * t.sum[c] : 0;
        sum_xhat[c] = op_collects(op) ? share * scale[c] * t.sum_xhat[c] : 0;
    }
    if (b->dx[0])
        input_gradient(b->x[0], b->dy, rows_of(op), columns, mean, factor, sum, sum_xhat, b->dx_add[0], b->dx[0]);
    if (b->dx[1] && b->dx[1] != b->dy)
        scale_values(b->dy, total_count(op, &op->y), 1, b->dx_add[1], b->dx[1]);
}

static void batch_norm_memory(const OpDesc *op, OpMemory *memory) {
    size_t columns = channels_of(&op->x[0]);
    memory->totals_bytes = op_collects(op) ? (16 + 4 * columns) * sizeof(float) : 0;
    memory->work_bytes = 4 * columns * sizeof(float);
}

const Kernel cpu_batch_norm = {.forward = batch_norm_forward,
                               .backward = batch_norm_backward,
                               .collect = batch_norm_collect,
                               .collect_backward = batch_norm_collect_backward,
                               .memory = batch_norm_memory};
