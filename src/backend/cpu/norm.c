/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/cpu/cpu.h"
#include <math.h>
#include <string.h>

/* batch_norm over rows [n * positions, C]:
 *     xhat = (x - mean) scale,   scale = 1 / sqrt(variance + epsilon),   y = gamma xhat + beta
 *     dx = gamma scale (dy - mean(dy) - xhat mean(dy xhat)),   without the means when the statistics are not the batch's
 * (S. Ioffe, C. Szegedy, "Batch normalization", 2015).  saved: mean [C], scale [C]. */
static bool is_affine(const OpDesc *op) {
    return !op->training || op->attr.norm.frozen;
}

static size_t rows_of(const OpDesc *op) {
    return total_count(op, &op->x[0]) / channels_of(&op->x[0]);
}

/* Mean and sum of squared differences from it, of `width` columns.  A chunk of rows (in L1 or L2) is passed twice, and
 * chunks are merged as in T. Chan, G. Golub, R. LeVeque, "Updating formulae and a pairwise algorithm for computing sample
 * variances", 1979: exact to rounding, and x is read from memory once. */
CPU_CLONES
static void moments_tile(const float *x, size_t rows, size_t columns, size_t width, float *restrict mean,
                         float *restrict squares) {
    memset(mean, 0, width * sizeof *mean);
    memset(squares, 0, width * sizeof *squares);
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
        float share = (float)(end - first) / (float)end, weight = (float)first * share;
        for (size_t c = 0; c < width; c++) {
            float d = part[c] - mean[c];
            mean[c] += d * share;
            squares[c] += part_squares[c] + d * d * weight;
        }
    }
}

/* What a trainer's moving averages are made of: n times the batch statistics. */
static void give_statistic(const OpDesc *op, const OpBuffers *b, size_t slot, const float *values) {
    if (b->dw[slot])
        scale_values(values, channels_of(&op->x[0]), (float)op->n, b->dw_add[slot], b->dw[slot]);
}

/* mean [C] and scale [C] of this pass. */
static void statistics(const OpDesc *op, const OpBuffers *b, float *mean, float *scale) {
    size_t rows = rows_of(op), columns = channels_of(&op->x[0]);
    if (is_affine(op)) {
        memcpy(mean, b->w[2], columns * sizeof *mean);
        memcpy(scale, b->w[3], columns * sizeof *scale);
    } else {
        for (size_t c = 0; c < columns; c += COLUMN_TILE)
            moments_tile(b->x[0] + c, rows, columns, at_most(columns - c, COLUMN_TILE), mean + c, scale + c);
        scale_values(scale, columns, 1 / (float)rows, false, scale);
        give_statistic(op, b, 2, mean);
        give_statistic(op, b, 3, scale);
    }
    for (size_t c = 0; c < columns; c++)
        scale[c] = 1 / sqrtf(scale[c] + (float)op->attr.norm.epsilon);
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

/* `work` holds what the loops over all rows need per column. */
static void batch_norm_forward(const OpDesc *op, const OpBuffers *b) {
    size_t columns = channels_of(&op->x[0]);
    float *mean = op->training ? b->saved : b->work, *scale = mean + columns;
    float *factor = (float *)b->work + 2 * columns, *offset = factor + columns;
    statistics(op, b, mean, scale);
    for (size_t c = 0; c < columns; c++) {
        factor[c] = b->w[0] ? b->w[0][c] * scale[c] : scale[c];
        offset[c] = b->w[1] ? b->w[1][c] : 0;
    }
    affine_rows(b->x[0], rows_of(op), columns, mean, factor, offset, b->y);
}

/* sum [width] = sum of dy, sum_xhat = sum of dy xhat, by chunks of rows. */
CPU_CLONES
static void gradient_sums(const float *x, const float *dy, size_t rows, size_t columns, size_t width, const float *mean,
                          const float *scale, float *restrict sum, float *restrict sum_xhat) {
    memset(sum, 0, width * sizeof *sum);
    memset(sum_xhat, 0, width * sizeof *sum_xhat);
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

static void batch_norm_backward(const OpDesc *op, const OpBuffers *b) {
    size_t rows = rows_of(op), columns = channels_of(&op->x[0]);
    const float *mean = b->saved, *scale = mean + columns;
    float *sum = b->work, *sum_xhat = sum + columns, *factor = sum_xhat + columns;
    for (size_t c = 0; c < columns; c += COLUMN_TILE)
        gradient_sums(b->x[0] + c, b->dy + c, rows, columns, at_most(columns - c, COLUMN_TILE), mean + c, scale + c,
                      sum + c, sum_xhat + c);
    if (b->dw[0])
        scale_values(sum_xhat, columns, 1, b->dw_add[0], b->dw[0]);
    if (b->dw[1])
        scale_values(sum, columns, 1, b->dw_add[1], b->dw[1]);
    if (!b->dx[0])
        return;
    float share = is_affine(op) ? 0 : 1 / (float)rows;
    for (size_t c = 0; c < columns; c++) {
        factor[c] = b->w[0] ? b->w[0][c] * scale[c] : scale[c];
        sum[c] *= share;
        sum_xhat[c] *= share * scale[c];
    }
    input_gradient(b->x[0], b->dy, rows, columns, mean, factor, sum, sum_xhat, b->dx_add[0], b->dx[0]);
}

static void batch_norm_memory(const OpDesc *op, OpMemory *memory) {
    size_t columns = channels_of(&op->x[0]);
    memory->saved_bytes = op->training ? 2 * columns * sizeof(float) : 0;
    memory->work_bytes = 4 * columns * sizeof(float);
}

const Kernel cpu_batch_norm = {
    .forward = batch_norm_forward, .backward = batch_norm_backward, .memory = batch_norm_memory};
