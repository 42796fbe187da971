/* SPDX-License-Identifier: Apache-2.0
 *
 * Speed of what is no matrix arithmetic beside that of a plain copy, with tensors that stay in the L2 cache (slices)
 * and with tensors that do not: bench_passes [words of a name [KB of x]].  GB/s of the bytes that an operation must
 * read and write at least; for each its share of the copy's.  Best of many runs; the backends that are chosen. */
#include "backend/select.h"
#include "base/memory.h"
#include "base/status.h"
#include "graph/graph.h"
#include "ops/op_case.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Bytes of x0. */
enum { IN_CACHE = 128 << 10, IN_MEMORY = 32 << 20 };

#define NORM(H, C, count, ...)                                                                                         \
    {.kind = OP_BATCH_NORM,                                                                                            \
     .inputs = (count),                                                                                                \
     .x = {SHAPE(H, H, C), SHAPE(H, H, C)},                                                                            \
     .params = 4,                                                                                                      \
     .has_w = {true, true, true, true},                                                                                \
     .w = {SHAPE(C), SHAPE(C), SHAPE(C), SHAPE(C)},                                                                    \
     .attr.norm = {.epsilon = 1e-3},                                                                                   \
     .relu_max = INFINITY,                                                                                             \
     __VA_ARGS__},                                                                                                     \
        .forward_w = 12
#define MERGE(which, H, C, ...)                                                                                        \
    { .kind = OP_##which, .inputs = 2, .x = {SHAPE(H, H, C), SHAPE(H, H, C)}, .relu_max = INFINITY, __VA_ARGS__ }
#define ACTIVATION(H, C, which, ...)                                                                                   \
    {                                                                                                                  \
        .kind = OP_ACTIVATION, .inputs = 1, .x = {SHAPE(H, H, C)}, .attr.activation = {                                \
            .kind = ACTIVATION_##which,                                                                                \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    }
#define RELU(H, C)                                                                                                     \
    {                                                                                                                  \
        .kind = OP_ACTIVATION, .inputs = 1, .x = {SHAPE(H, H, C)}, .attr.activation = {                                \
            .kind = ACTIVATION_RELU,                                                                                   \
            .max_value = INFINITY                                                                                      \
        }                                                                                                              \
    }
#define POOL(which, H, C, window, strides, ...)                                                                        \
    {                                                                                                                  \
        .kind = OP_##which##_POOL2D, .inputs = 1, .x = {SHAPE(H, H, C)}, .attr.pool = {                                \
            .size = {window, window},                                                                                  \
            .stride = {strides, strides},                                                                              \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    }
#define DROPOUT(size)                                                                                                  \
    {                                                                                                                  \
        .kind = OP_DROPOUT, .inputs = 1, .x = {SHAPE(size)}, .attr.dropout = {.rate = 0.5 }                            \
    }
#define LOSS(classes)                                                                                                  \
    {.kind = OP_LOSS,                                                                                                  \
     .inputs = 2,                                                                                                      \
     .x = {SHAPE(classes), SHAPE(1)},                                                                                  \
     .attr.loss = {.kind = LOSS_SPARSE_CROSSENTROPY, .from_logits = true, .weight = 1}},                               \
        .fixed_x = 2, .fill = zero_labels
#define RESCALE(H, C)                                                                                                  \
    {                                                                                                                  \
        .kind = OP_RESCALE, .inputs = 1, .x = {SHAPE(H, H, C)}, .attr.rescale = { 2, 1 }                               \
    }

static void zero_labels(const OpDesc *op, Real **x, Real **w) {
    (void)w;
    memset(x[1], 0, op->n * sizeof *x[1]);
}

static const OpCase cases[] = {
    {"batch norm 32x32x16", NORM(32, 16, 1)},
    {"batch norm relu 32x32x16", NORM(32, 16, 1, .relu = true)},
    {"batch norm add relu 32x32x16", NORM(32, 16, 2, .relu = true)},
    {"batch norm relu 16x16x32", NORM(16, 32, 1, .relu = true)},
    {"batch norm relu 32x32x64", NORM(32, 64, 1, .relu = true)},
    {"batch norm add relu 8x8x64", NORM(8, 64, 2, .relu = true)},
    {"batch norm relu 4x4x512", NORM(4, 512, 1, .relu = true)},
    {"batch norm add relu 7x7x2048", NORM(7, 2048, 2, .relu = true)},
    {"add 32x32x16", MERGE(ADD, 32, 16)},
    {"add relu 32x32x16", MERGE(ADD, 32, 16, .relu = true)},
    {"concat 28x28x32", MERGE(CONCAT, 28, 32, .attr.axis = 2)},
    {"relu 28x28x32", RELU(28, 32)},
    {"silu 28x28x32", ACTIVATION(28, 32, SILU)},
    {"hard_silu 28x28x32", ACTIVATION(28, 32, HARD_SILU, .alpha = 1 / 6.)},
    {"sigmoid 28x28x32", ACTIVATION(28, 32, SIGMOID)},
    {"gelu 28x28x32", ACTIVATION(28, 32, GELU)},
    {"rescale 28x28x1", RESCALE(28, 1)},
    {"max 2x2 26x26x32", POOL(MAX, 26, 32, 2, 2)},
    {"max 2x2 11x11x64", POOL(MAX, 11, 64, 2, 2)},
    {"max 2x2 28x28x8", POOL(MAX, 28, 8, 2, 2)},
    {"max 3x3/2 56x56x64", POOL(MAX, 56, 64, 3, 2)},
    {"max 3x3/2 112x112x64", POOL(MAX, 112, 64, 3, 2, .padding = PADDING_SAME)},
    {"max 3x3/2 35x35x288", POOL(MAX, 35, 288, 3, 2)},
    {"max 3x3 14x14x512", POOL(MAX, 14, 512, 3, 1, .padding = PADDING_SAME)},
    {"average 1x1/2 32x32x16", POOL(AVERAGE, 32, 16, 1, 2)},
    {"average 3x3 35x35x32", POOL(AVERAGE, 35, 32, 3, 1, .padding = PADDING_SAME)},
    {"average 2x2 28x28x32", POOL(AVERAGE, 28, 32, 2, 2)},
    {"global average 8x8x64", POOL(GLOBAL_AVERAGE, 8, 64, 0, 0)},
    {"global average 7x7x2048", POOL(GLOBAL_AVERAGE, 7, 2048, 0, 0)},
    {"dropout 1600", DROPOUT(1600)},
    {"loss 10", LOSS(10)},
    {"loss 1000", LOSS(1000)},
};

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef void Call(void *state, const OpBuffers *b);

/* Best time of one call, from rounds of about 50 microseconds or one call. */
static double best_time(Call *call, void *state, const OpBuffers *b) {
    double best = INFINITY;
    size_t calls = 1;
    for (int round = 0; round < 60; round++) {
        double start = seconds();
        for (size_t i = 0; i < calls; i++)
            call(state, b);
        double time = (seconds() - start) / (double)calls;
        best = fmin(best, time);
        calls = time < 5e-5 ? (size_t)(5e-5 / time) + 1 : 1;
    }
    return best;
}

typedef struct Copy {
    float *from, *to;
    size_t bytes;
} Copy;

static void copy(void *state, const OpBuffers *b) {
    (void)b;
    const Copy *c = state;
    for (size_t i = 0; i < c->bytes / sizeof *c->to; i++)
        c->to[i] = c->from[i];
    __asm__ volatile("" : : : "memory"); /* once more is not for nothing */
}

/* GB/s, read and written. */
static Status copy_speed(size_t bytes, double *speed) {
    Copy c = {.bytes = bytes};
    TRY(memory_new(&c.from, bytes / sizeof *c.from, "copy"));
    TRY(memory_new(&c.to, bytes / sizeof *c.to, "copy"));
    memset(c.from, 1, bytes);
    *speed = 2e-9 * (double)bytes / best_time(copy, &c, NULL);
    memory_free(c.from);
    memory_free(c.to);
    return STATUS_OK;
}

static OpBuffers buffers_of(OpRun *run, bool backward) {
    const OpDesc *op = &run->op;
    OpBuffers b = {.y = run->y,
                   .dy = op->kind == OP_LOSS ? NULL : run->dy,
                   .first = true,
                   .last = true,
                   .saved = run->saved,
                   .totals = run->totals,
                   .work = run->work,
                   .context = &run->context};
    for (size_t i = 0; i < op->inputs; i++) {
        b.x[i] = run->x[i];
        b.dx[i] = backward && op->want_dx[i] ? run->dx[i] : NULL;
    }
    if (op->kind == OP_BATCH_NORM && op->inputs > 1 && backward)
        b.dx[1] = run->dy;
    for (size_t i = 0; i < op->params; i++) {
        b.w[i] = run->w[i];
        b.dw[i] = backward == op->want_dw[i] ? run->dw[i] : NULL;
    }
    return b;
}

static void show(const char *what, double bytes, double time, double speed) {
    double here = 1e-9 * bytes / time;
    printf(" | %s %8.1f us %6.1f %4.2f", what, 1e6 * time, here, here / speed);
}

/* Forward reads all x and writes y; backward reads dy, x and y where they are kept (a batch norm need not read y), and
 * writes dx. */
static Status measure(const OpCase *c, size_t bytes, double speed) {
    OpRun run;
    OpCase sized = *c;
    size_t each = shape_count(&c->op.x[0]) * sizeof(Real);
    sized.op.n = bytes / each > 0 ? bytes / each : 1;
    OpDesc op = sized.op;
    TRY(op_shape(&op));
    op.training = true;
    TRY(op_run_create(&run, &sized, backend_select(&op, NULL), true, ~0u, ~0u));
    OpBuffers forward = buffers_of(&run, false), backward = buffers_of(&run, true);
    bool collects = op_collects(&run.op), loss = op.kind == OP_LOSS;
    double x = (double)(sized.op.n * each), y = loss ? 0 : (double)(op_y_count(&run.op) * sizeof(Real)), all = x;
    if (op.inputs > 1 && !loss)
        all += x;
    printf("%-29s", c->name);
    if (collects)
        show("collect", x, best_time(run.backend->collect, run.state, &forward), speed);
    show("forward", all + y, best_time(run.backend->forward, run.state, &forward), speed);
    if (collects)
        show("collect", x + y, best_time(run.backend->collect_backward, run.state, &backward), speed);
    all = collects ? x : op.kind == OP_ADD && !op.relu ? x : all; /* of a batch norm dx1, of an addition dx0 is dy */
    if (op.kind == OP_ADD)
        backward.dx[0] = run.dy;
    all += y + (op.keeps_x ? x : 0) + (op.keeps_y && !collects ? y : 0);
    show("backward", all, best_time(run.backend->backward, run.state, &backward), speed);
    printf("\n");
    op_run_destroy(&run);
    return STATUS_OK;
}

static Status measure_all(const char *words, size_t bytes) {
    double speed;
    TRY(copy_speed(bytes, &speed));
    printf("x of %zu KB: copy %.1f GB/s\n", bytes >> 10, speed);
    for (size_t i = 0; i < COUNT(cases); i++)
        if (strstr(cases[i].name, words))
            TRY(measure(&cases[i], bytes, speed));
    return STATUS_OK;
}

int main(int argc, char **argv) {
    const char *words = argc > 1 ? argv[1] : "";
    backend_fix_cpu(argv);
    Status status = measure_all(words, argc > 2 ? (size_t)atoi(argv[2]) << 10 : IN_CACHE);
    if (status == STATUS_OK && argc <= 2)
        status = measure_all(words, IN_MEMORY);
    if (status != STATUS_OK)
        fprintf(stderr, "bench_passes: error: %s\n", status_message());
    return (int)status;
}
