/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/clones.h"
#include "backend/cpu/rows.h"
#include "backend/direct/direct.h"
#include "backend/direct/product.h"
#include <string.h>

/* What a block of rows fills.  Few products with each row of dy: copying it costs as much, so it is used while it is in
 * L1.  Many: the larger a block, the less often sums go to memory and back. */
enum { L1_BYTES = 24 * 1024, L2_BYTES = 256 * 1024 };

static size_t at_least(size_t a, size_t limit) {
    return a > limit ? a : limit;
}

Conv direct_conv(const OpDesc *op) {
    const ConvAttr *a = &op->attr.conv;
    const size_t *x = op->x[0].dim, *y = op->y.dim;
    Conv g = {.n = op->n,
              .H = x[0],
              .W = x[1],
              .C = x[2],
              .P = y[0],
              .Q = y[1],
              .K = y[2],
              .R = a->kernel[0],
              .S = a->kernel[1],
              .stride = {a->stride[0], a->stride[1]},
              .pad = {a->pad[0][0], a->pad[1][0]},
              .relu = op->relu,
              .relu_max = (float)op->relu_max,
              .rows = x[0],
              .width = x[1],
              .out = y[1],
              .want_dx = op->want_dx[0]};
    size_t rows = (g.P - 1) * g.stride[0] + g.R, width = (g.Q - 1) * g.stride[1] + g.S;
    if (g.pad[0] || g.pad[1] || rows > g.H || width > g.W)
        g.padded = true, g.rows = rows, g.width = width;
    if (g.want_dx)
        direct_data_sizes(&g);
    size_t row = g.stride[0] * g.width * g.C + g.out * g.K, first = g.R * g.width * g.C,
           room = (g.R * g.S * g.C < 32 ? L1_BYTES : L2_BYTES) / sizeof(float);
    g.block = at_most(g.P, first < room ? at_least((room - first) / row, 1) : 1);
    g.turned = g.K % PRODUCT_SLACK ? g.R * g.S * g.C * g.K + PRODUCT_SLACK : 0;
    return g;
}

/* Elements of the staged image and gradient. */
static size_t x_count(const Conv *g) {
    return g->padded ? g->rows * g->width * g->C : 0;
}

static size_t dy_count(const Conv *g) {
    return (g->want_dx ? g->P : g->block) * g->out * g->K + PRODUCT_SLACK;
}

void direct_conv_memory(const Conv *g, OpMemory *memory) {
    memory->packed_bytes = (g->turned + (g->want_dx ? direct_data_packed_count(g) : 0)) * sizeof(float);
    memory->work_bytes = (x_count(g) + dy_count(g) + g->Q * g->line) * sizeof(float);
}

/* x itself, or its copy among zeros, which stand in `to` already. */
static const float *stage_image(const Conv *g, const float *x, float *to) {
    if (!g->padded)
        return x;
    size_t rows = at_most(g->H, g->rows - g->pad[0]), columns = at_most(g->W, g->width - g->pad[1]);
    for (size_t h = 0; h < rows; h++)
        memcpy(to + ((g->pad[0] + h) * g->width + g->pad[1]) * g->C, x + h * g->W * g->C,
               columns * g->C * sizeof(float));
    return to;
}

void direct_rows_inside(size_t start, size_t pad, size_t rows, size_t extent, size_t *first, size_t *end) {
    *first = start < pad ? pad - start : 0;
    *end = start >= pad + extent ? *first : at_least(at_most(rows, pad + extent - start), *first);
}

static const float *weights_with_slack(const Conv *g, const OpBuffers *b) {
    size_t count = g->R * g->S * g->C * g->K;
    if (g->turned == 0)
        return b->w[0];
    if (b->pack) {
        memcpy(b->packed, b->w[0], count * sizeof(float));
        memset((float *)b->packed + count, 0, PRODUCT_SLACK * sizeof(float));
    }
    return b->packed;
}

void direct_conv_forward(const Conv *g, const OpBuffers *b) {
    const float *w = weights_with_slack(g, b);
    size_t line = g->S * g->C;
    Product p = {.rows = g->Q,
                 .columns = g->K,
                 .depth = line,
                 .a_row = g->stride[1] * g->C,
                 .a_segment = g->width * g->C,
                 .a_step = 1,
                 .b_segment = line * g->K,
                 .b_step = g->K,
                 .c_row = g->K,
                 .bias = b->w[1],
                 .relu = g->relu,
                 .relu_max = g->relu_max};
    memset(b->work, 0, x_count(g) * sizeof(float));
    for (size_t n = 0; n < g->n; n++) {
        const float *x = stage_image(g, b->x[0] + n * g->H * g->W * g->C, b->work);
        for (size_t row = 0; row < g->P; row++) {
            size_t first, end;
            direct_rows_inside(row * g->stride[0], g->pad[0], g->R, g->H, &first, &end);
            p.segments = end - first;
            product(&p, x + (row * g->stride[0] + first) * p.a_segment, w + first * p.b_segment,
                    b->y + (n * g->P + row) * g->Q * g->K);
        }
    }
}

/* One row of dy, before the ReLU. */
CPU_CLONES
static void stage_row(const Conv *g, const float *dy, const float *y, float *restrict to) {
    size_t count = g->Q * g->K;
    float max = g->relu_max;
    if (!g->relu)
        memcpy(to, dy, count * sizeof *to);
    else
        for (size_t i = 0; i < count; i++)
            to[i] = ((y[i] > 0) & (y[i] < max)) ? dy[i] : 0;
}

/* dw from `count` rows of dy of one example and the x below them. */
static void weight_gradient(const Conv *g, const float *x, const float *dy, size_t count, bool add, float *dw) {
    size_t line = g->S * g->C;
    bool whole = g->C == 1 && g->R == g->S && (g->R == 3 || g->R == 5); /* few rows: take all kernel rows at once */
    Product p = {.rows = whole ? g->R * line : line,
                 .columns = g->K,
                 .segments = count,
                 .depth = g->Q,
                 .a_row = whole ? g->width : 1,
                 .a_segment = g->stride[0] * g->width * g->C,
                 .a_step = g->stride[1] * g->C,
                 .b_segment = g->out * g->K,
                 .b_step = g->K,
                 .c_row = g->K,
                 .stretch = whole ? g->R : 0,
                 .add = add};
    if (whole)
        product(&p, x, dy, dw);
    else
        for (size_t r = 0; r < g->R; r++)
            product(&p, x + r * g->width * g->C, dy, dw + r * line * g->K);
}

void direct_conv_backward(const Conv *g, const OpBuffers *b) {
    float *image = b->work, *staged = image + x_count(g), *turned = (float *)b->packed + g->turned,
          *part = staged + dy_count(g);
    if (b->dw[1] && !b->dw_add[1])
        memset(b->dw[1], 0, g->K * sizeof(float));
    if (b->dx[0] && b->pack)
        direct_data_pack(g, b->w[0], turned);
    memset(image, 0, x_count(g) * sizeof(float));
    memset(staged, 0, dy_count(g) * sizeof(float));
    for (size_t n = 0; n < g->n; n++) {
        const float *x = b->dw[0] ? stage_image(g, b->x[0] + n * g->H * g->W * g->C, image) : NULL;
        for (size_t first = 0, count; first < g->P; first += count) {
            size_t start = g->want_dx ? first : 0;
            float *dy = staged + start * g->out * g->K;
            count = at_most(g->block, g->P - first);
            for (size_t i = 0; i < count; i++) {
                size_t from = (n * g->P + first + i) * g->Q * g->K;
                stage_row(g, b->dy + from, g->relu ? b->y + from : NULL, dy + (i * g->out + g->left) * g->K);
            }
            if (b->dw[0])
                weight_gradient(g, x + first * g->stride[0] * g->width * g->C, dy + g->left * g->K, count,
                                b->dw_add[0] || n > 0 || first > 0, b->dw[0]);
            if (b->dw[1])
                product_sum_rows(dy, count * g->out, g->K, b->dw[1]);
        }
        if (b->dx[0])
            direct_data_gradient(g, staged, turned, b->dx_add[0], part, b->dx[0] + n * g->H * g->W * g->C);
    }
}
