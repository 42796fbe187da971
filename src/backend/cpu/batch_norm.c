/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/cpu/cpu.h"
#include <math.h>
#include <string.h>

/* batch_norm over m rows (positions of the micro-batch) of C channels, with a second input to add and a ReLU at the end
 * (S. Ioffe, C. Szegedy, "Batch normalization", 2015):
 *     a = gamma scale,   b = beta - mean a,   scale = 1 / sqrt(variance + epsilon)
 *     y = min(max(a x + b [+ x1], 0), relu_max)
 *     g = dy where the ReLU is not flat, else 0;   dbeta = sum g,   dgamma = scale sum g (x - mean)
 *     dx = a g + slope x + offset,   slope = -a scale dgamma / m,   offset = -a dbeta / m - slope mean
 * without slope and offset when the statistics are not the batch's.  Folding mean into b and offset costs no more
 * accuracy than rounding x did.
 *
 * Each pass touches every element once.  Without x1 the ReLU's derivative is found from a x + b, so y is not read; with
 * x1 collect_backward masks dy in place, which is then dx1, too.
 *
 * Rows of few channels are taken several at a time, as one wide row, so that loops over columns suit vectors of any
 * length; sums of a channel's columns are added at the end. */
enum { WIDE = 64, ALIGNED = 16, WIDEST = 512, STRIP = 4 };

static size_t wide_columns(const OpDesc *op) {
    size_t channels = channels_of(&op->x[0]), even = channels & -channels;
    size_t columns = even < ALIGNED ? channels * (ALIGNED / even) : channels;
    if (columns > WIDEST && channels >= WIDE)
        return channels;
    while (columns < WIDE)
        columns *= 2;
    return columns;
}

/* What one micro-batch needs from pass to pass, per column; the sums are of x - mean and its square (mean is then a
 * guess), later of g and g (x - mean). */
typedef struct Totals {
    double *sum, *product;
    float *mean, *scale, *a, *b, *slope, *offset;
} Totals;

enum { TOTAL_DOUBLES = 2, TOTAL_FLOATS = 6 };

static Totals totals_of(const OpBuffers *b, size_t columns) {
    double *doubles = b->totals;
    float *floats = (float *)(doubles + TOTAL_DOUBLES * columns);
    return (Totals){doubles,
                    doubles + columns,
                    floats,
                    floats + columns,
                    floats + 2 * columns,
                    floats + 3 * columns,
                    floats + 4 * columns,
                    floats + 5 * columns};
}

/* values [channels] repeated. */
CPU_INLINE void repeat(float *values, size_t channels, size_t columns) {
    for (size_t c = channels; c < columns; c++)
        values[c] = values[c - channels];
}

/* The sums of the columns of each channel, in its first one. */
static void fold(double *sums, size_t channels, size_t columns) {
    for (size_t c = columns; c-- > channels;)
        sums[c - channels] += sums[c];
}

/* How g comes from dy: as it is; zeroed where a x + b is outside (0, max); zeroed, and stored, where y is. */
typedef enum Mask { MASK_NONE, MASK_BY_X, MASK_BY_Y } Mask;

static Mask mask_of(const OpDesc *op) {
    return !op->relu ? MASK_NONE : op->inputs > 1 ? MASK_BY_Y : MASK_BY_X;
}

/* Two sums per column over rows of a slice. */
typedef struct Sums {
    const float *x, *y;
    float *dy; /* NULL: sums of d = x - mean and d d; else of g and g d */
    size_t columns;
    Mask mask;
    float max;
    Totals totals;
    float *part, *part_product; /* [columns], of the rows since the last addition to totals */
} Sums;

CPU_INLINE float masked(float value, float max, float g) {
    return ((value > 0) & (value < max)) ? g : 0;
}

/* Adds what element i, of column c, gives.  `moments`, whether the sums are of d, and mask are constants where it is
 * inlined. */
CPU_INLINE void sum_element(const Sums *s, size_t i, size_t c, bool moments, Mask mask, float *sum, float *product) {
    float d = s->x[i] - s->totals.mean[c], g = moments ? d : s->dy[i];
    if (mask == MASK_BY_X)
        g = masked(s->totals.a[c] * s->x[i] + s->totals.b[c], s->max, g);
    if (mask == MASK_BY_Y)
        s->dy[i] = g = masked(s->y[i], s->max, g);
    *sum += g;
    *product += g * d;
}

/* One row, or STRIP rows for one reading and writing of the sums. */
CPU_INLINE void sum_strip(Sums s, size_t row, bool whole, bool moments, Mask mask) {
    size_t columns = s.columns, start = row * columns;
#pragma GCC ivdep
    for (size_t c = 0; c < columns; c++) {
        float sum = s.part[c], product = s.part_product[c];
        sum_element(&s, start + c, c, moments, mask, &sum, &product);
        if (whole) {
            sum_element(&s, start + columns + c, c, moments, mask, &sum, &product);
            sum_element(&s, start + 2 * columns + c, c, moments, mask, &sum, &product);
            sum_element(&s, start + 3 * columns + c, c, moments, mask, &sum, &product);
        }
        s.part[c] = sum;
        s.part_product[c] = product;
    }
}

/* Rows of WIDE columns: the sums are vector registers. */
CPU_INLINE void sum_narrow(Sums s, size_t row, size_t end, bool moments, Mask mask) {
    float sum[WIDE], product[WIDE];
    memcpy(sum, s.part, sizeof sum);
    memcpy(product, s.part_product, sizeof product);
    for (; row < end; row++)
#pragma GCC ivdep
        for (size_t c = 0; c < WIDE; c++)
            sum_element(&s, row * WIDE + c, c, moments, mask, &sum[c], &product[c]);
    memcpy(s.part, sum, sizeof sum);
    memcpy(s.part_product, product, sizeof product);
}

CPU_INLINE void sum_strips(const Sums *s, size_t row, size_t end, bool moments, Mask mask) {
    if (s->columns == WIDE) {
        sum_narrow(*s, row, end, moments, mask);
        return;
    }
    for (; row + STRIP <= end; row += STRIP)
        sum_strip(*s, row, true, moments, mask);
    for (; row < end; row++)
        sum_strip(*s, row, false, moments, mask);
}

CPU_CLONES
static void sum_some_rows(const Sums *s, size_t row, size_t end) {
    if (!s->dy)
        sum_strips(s, row, end, true, MASK_NONE);
    else if (s->mask == MASK_NONE)
        sum_strips(s, row, end, false, MASK_NONE);
    else if (s->mask == MASK_BY_X)
        sum_strips(s, row, end, false, MASK_BY_X);
    else
        sum_strips(s, row, end, false, MASK_BY_Y);
}

CPU_CLONES
static void add_part(const float *restrict part, size_t columns, double *restrict sums) {
    for (size_t c = 0; c < columns; c++)
        sums[c] += (double)part[c];
}

/* Float sums of at most SUM_CHUNK rows are added up in double. */
static void sum_rows_of_slice(const Sums *s, size_t rows) {
    for (size_t row = 0; row < rows; row += SUM_CHUNK) {
        memset(s->part, 0, 2 * s->columns * sizeof *s->part);
        sum_some_rows(s, row, at_most(row + SUM_CHUNK, rows));
        add_part(s->part, s->columns, s->totals.sum);
        add_part(s->part_product, s->columns, s->totals.product);
    }
}

/* Whole wide rows, then the channels that are left as a row of fewer columns. */
static void sum_slice(const OpDesc *op, const OpBuffers *b, float *dy) {
    size_t columns = wide_columns(op), count = total_count(op, &op->x[0]), whole = count / columns * columns;
    Sums s = {.x = b->x[0], .y = b->y, .dy = dy, .columns = columns, .mask = mask_of(op), .max = (float)op->relu_max};
    s.totals = totals_of(b, columns);
    s.part = b->work;
    s.part_product = s.part + columns;
    sum_rows_of_slice(&s, count / columns);
    if (whole == count)
        return;
    s.x += whole;
    s.y = s.y ? s.y + whole : NULL;
    s.dy = s.dy ? s.dy + whole : NULL;
    s.columns = count - whole;
    s.part_product = s.part + s.columns;
    sum_rows_of_slice(&s, 1);
}

/* A value near the mean of every channel: that of a few rows here and there.  The variance is found from sums about it,
 * whose cancellation costs as many bits as the square of its distance in standard deviations has, and k of m rows are
 * at most sqrt(m / k) deviations off; sums about 0 would lose everything when the mean is some thousand deviations. */
static void guess_mean(const OpDesc *op, const OpBuffers *b, float *mean) {
    enum { GUESSES = 8 };
    size_t channels = channels_of(&op->x[0]), rows = total_count(op, &op->x[0]) / channels;
    size_t distance = rows > GUESSES ? rows / GUESSES : 1, count = at_most(rows, GUESSES);
    memset(mean, 0, channels * sizeof *mean);
    for (size_t i = 0; i < count; i++)
        scale_values(b->x[0] + i * distance * channels, channels, 1 / (float)count, true, mean);
}

static double row_count(const OpDesc *op) {
    return (double)op->batch * (double)(shape_count(&op->x[0]) / channels_of(&op->x[0]));
}

/* From scale and mean of the channels: a, b of every column. */
CPU_CLONES
static void set_factors(const OpDesc *op, const OpBuffers *buffers, Totals t) {
    size_t channels = channels_of(&op->x[0]), columns = wide_columns(op);
    const float *gamma = buffers->w[0], *beta = buffers->w[1];
#pragma GCC ivdep
    for (size_t c = 0; c < channels; c++) {
        t.a[c] = gamma ? gamma[c] * t.scale[c] : t.scale[c];
        t.b[c] = (beta ? beta[c] : 0) - t.mean[c] * t.a[c];
    }
    repeat(t.mean, channels, columns);
    repeat(t.a, channels, columns);
    repeat(t.b, channels, columns);
}

/* Sums over the columns of each channel -> mean and variance (in place of the sums), and scale. */
CPU_CLONES
static void finish_moments(Totals t, size_t channels, double share, double epsilon) {
#pragma GCC ivdep
    for (size_t c = 0; c < channels; c++) {
        double shift = t.sum[c] * share, variance = t.product[c] * share - shift * shift;
        variance = variance > 0 ? variance : variance <= 0 ? 0 : variance; /* NaN stays */
        t.sum[c] = (double)t.mean[c] + shift;
        t.mean[c] = (float)t.sum[c];
        t.product[c] = variance;
        t.scale[c] = (float)(1 / sqrt(variance + epsilon));
    }
}

/* to = factor values, or to += when `add`. */
CPU_CLONES
static void give(const double *values, size_t count, double factor, bool add, float *restrict to) {
    for (size_t c = 0; c < count; c++)
        to[c] = (add ? to[c] : 0) + (float)(factor * values[c]);
}

static void collect(const OpDesc *op, const OpBuffers *b) {
    size_t channels = channels_of(&op->x[0]), columns = wide_columns(op);
    Totals t = totals_of(b, columns);
    if (b->first) {
        memset(t.sum, 0, 2 * columns * sizeof *t.sum);
        guess_mean(op, b, t.mean);
        repeat(t.mean, channels, columns);
    }
    sum_slice(op, b, NULL);
    if (!b->last)
        return;
    fold(t.sum, channels, columns);
    fold(t.product, channels, columns);
    finish_moments(t, channels, 1 / row_count(op), op->attr.norm.epsilon);
    if (b->dw[2]) /* what a trainer's moving averages are made of */
        give(t.sum, channels, (double)op->batch, b->dw_add[2], b->dw[2]);
    if (b->dw[3])
        give(t.product, channels, (double)op->batch, b->dw_add[3], b->dw[3]);
    set_factors(op, b, t);
}

/* From the moving statistics. */
static void set_moving(const OpDesc *op, const OpBuffers *b, Totals t) {
    size_t columns = wide_columns(op);
    for (size_t c = 0; c < channels_of(&op->x[0]); c++) {
        t.mean[c] = b->w[2][c];
        t.scale[c] = 1 / sqrtf(b->w[3][c] + (float)op->attr.norm.epsilon);
    }
    set_factors(op, b, t);
    memset(t.slope, 0, columns * sizeof *t.slope);
    memset(t.offset, 0, columns * sizeof *t.offset);
}

/* One (wide) row of `columns`, in place or not. */
CPU_INLINE void forward_row(const Totals *t, const float *x, const float *x1, bool relu, float max, size_t columns,
                            float *y) {
#pragma GCC ivdep
    for (size_t c = 0; c < columns; c++) {
        float value = t->a[c] * x[c] + t->b[c] + (x1 ? x1[c] : 0);
        if (relu) {
            value = value < 0 ? 0 : value;
            value = value > max ? max : value;
        }
        y[c] = value;
    }
}

CPU_CLONES
static void forward_rows(Totals t, const float *x, const float *x1, bool relu, float max, size_t count, size_t columns,
                         float *y) {
    for (size_t i = 0; i < count; i += columns) {
        size_t width = at_most(count - i, columns);
        if (x1 && relu)
            forward_row(&t, x + i, x1 + i, true, max, width, y + i);
        else if (x1)
            forward_row(&t, x + i, x1 + i, false, max, width, y + i);
        else if (relu)
            forward_row(&t, x + i, NULL, true, max, width, y + i);
        else
            forward_row(&t, x + i, NULL, false, max, width, y + i);
    }
}

static void forward(const OpDesc *op, const OpBuffers *b) {
    size_t columns = wide_columns(op);
    Totals t = totals_of(b, columns);
    if (!op_collects(op) && b->first)
        set_moving(op, b, t);
    forward_rows(t, b->x[0], op->inputs > 1 ? b->x[1] : NULL, op->relu, (float)op->relu_max, total_count(op, &op->y),
                 columns, b->y);
}

/* dbeta and dgamma of the rows that were summed. */
static void give_gradients(const OpDesc *op, const OpBuffers *b, Totals t) {
    size_t channels = channels_of(&op->x[0]), columns = wide_columns(op);
    fold(t.sum, channels, columns);
    fold(t.product, channels, columns);
    for (size_t c = 0; c < channels; c++)
        t.product[c] *= (double)t.scale[c];
    if (b->dw[0])
        give(t.product, channels, 1, b->dw_add[0], b->dw[0]);
    if (b->dw[1])
        give(t.sum, channels, 1, b->dw_add[1], b->dw[1]);
}

/* slope and offset from dbeta and dgamma in the sums. */
CPU_CLONES
static void set_slopes(Totals t, size_t channels, size_t columns, double share) {
#pragma GCC ivdep
    for (size_t c = 0; c < channels; c++) {
        double factor = -share * (double)t.a[c], slope = factor * (double)t.scale[c] * t.product[c];
        t.slope[c] = (float)slope;
        t.offset[c] = (float)(factor * t.sum[c] - slope * (double)t.mean[c]);
    }
    repeat(t.slope, channels, columns);
    repeat(t.offset, channels, columns);
}

static void collect_backward(const OpDesc *op, const OpBuffers *b) {
    size_t columns = wide_columns(op);
    Totals t = totals_of(b, columns);
    if (b->first)
        memset(t.sum, 0, 2 * columns * sizeof *t.sum);
    sum_slice(op, b, b->dy);
    if (!b->last)
        return;
    give_gradients(op, b, t);
    set_slopes(t, channels_of(&op->x[0]), columns, 1 / row_count(op));
}

CPU_INLINE void backward_row(const Totals *t, const float *x, const float *dy, bool mask, float max, bool add,
                             size_t columns, float *dx) {
#pragma GCC ivdep
    for (size_t c = 0; c < columns; c++) {
        float g = mask ? masked(t->a[c] * x[c] + t->b[c], max, dy[c]) : dy[c];
        float value = t->a[c] * g + (t->slope[c] * x[c] + t->offset[c]);
        dx[c] = add ? dx[c] + value : value;
    }
}

CPU_CLONES
static void backward_rows(Totals t, const float *x, const float *dy, bool mask, float max, bool add, size_t count,
                          size_t columns, float *dx) {
    for (size_t i = 0; i < count; i += columns) {
        size_t width = at_most(count - i, columns);
        if (mask)
            backward_row(&t, x + i, dy + i, true, max, add, width, dx + i);
        else
            backward_row(&t, x + i, dy + i, false, max, add, width, dx + i);
    }
}

static void backward(const OpDesc *op, const OpBuffers *b) {
    size_t columns = wide_columns(op), count = total_count(op, &op->x[0]);
    Totals t = totals_of(b, columns);
    if (!op_collects(op)) {
        memset(t.sum, 0, 2 * columns * sizeof *t.sum);
        sum_slice(op, b, b->dy);
        give_gradients(op, b, t);
    }
    if (b->dx[0])
        backward_rows(t, b->x[0], b->dy, mask_of(op) == MASK_BY_X, (float)op->relu_max, b->dx_add[0], count, columns,
                      b->dx[0]);
    if (b->dx[1] && b->dx[1] != b->dy)
        scale_values(b->dy, count, 1, b->dx_add[1], b->dx[1]);
}

static void memory(const OpDesc *op, OpMemory *memory) {
    size_t columns = wide_columns(op);
    memory->totals_bytes = columns * (TOTAL_DOUBLES * sizeof(double) + TOTAL_FLOATS * sizeof(float));
    memory->work_bytes = 2 * columns * sizeof(float);
}

const Kernel cpu_batch_norm = {.forward = forward,
                               .backward = backward,
                               .collect = collect,
                               .collect_backward = collect_backward,
                               .memory = memory,
                               .has_relu = true};
