/* SPDX-License-Identifier: Apache-2.0
 *
 * Speed of the kernels that the backends choose, on shapes of real networks, beside that of one large sgemm measured in
 * the same run: bench_kernels [backend [part of a name]].  Best of several runs; one thread unless OMP_NUM_THREADS says
 * otherwise. */
#include "backend/select.h"
#include "base/status.h"
#include "bench/peak.h"
#include "graph/graph.h"
#include "ops/op_case.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONV(batch, H, C, R, K, strides, which, divide)                                                                \
    {                                                                                                                  \
        .kind = OP_CONV2D, .n = (batch), .inputs = 1, .x = {SHAPE(H, H, C)}, .params = 2, .has_w = {true, true},       \
        .w = {SHAPE(R, R, (C) / (divide), K), SHAPE(K)}, .attr.conv = {                                                \
            .kernel = {R, R},                                                                                          \
            .stride = {strides, strides},                                                                              \
            .dilation = {1, 1},                                                                                        \
            .groups = (divide),                                                                                        \
            .filters = (K),                                                                                            \
            .padding = PADDING_##which                                                                                 \
        }                                                                                                              \
    }
/* Of a video [D,H,H,C] under kernels of 3x3x3; of a series [L,C]. */
#define CONV3D(batch, D, H, C, K)                                                                                      \
    {                                                                                                                  \
        .kind = OP_CONV3D, .n = (batch), .inputs = 1, .x = {SHAPE(D, H, H, C)}, .params = 2, .has_w = {true, true},    \
        .w = {SHAPE(3, 3, 3, C, K), SHAPE(K)}, .attr.conv3d = {                                                        \
            .kernel = {3, 3, 3},                                                                                       \
            .stride = {1, 1, 1},                                                                                       \
            .dilation = {1, 1, 1},                                                                                     \
            .groups = 1,                                                                                               \
            .filters = (K),                                                                                            \
            .padding = PADDING_SAME                                                                                    \
        }                                                                                                              \
    }
#define SERIES(batch, L, C, S, K)                                                                                      \
    {                                                                                                                  \
        .kind = OP_CONV2D, .n = (batch), .inputs = 1, .x = {SHAPE(1, L, C)}, .params = 2, .has_w = {true, true},       \
        .w = {SHAPE(S, C, K), SHAPE(K)}, .attr.conv = {                                                                \
            .kernel = {1, S},                                                                                          \
            .stride = {1, 1},                                                                                          \
            .dilation = {1, 1},                                                                                        \
            .groups = 1,                                                                                               \
            .filters = (K),                                                                                            \
            .padding = PADDING_SAME                                                                                    \
        }                                                                                                              \
    }
#define POOL(which, batch, H, C, window, strides)                                                                      \
    {                                                                                                                  \
        .kind = OP_##which##_POOL2D, .n = (batch), .inputs = 1, .x = {SHAPE(H, H, C)}, .attr.pool = {                  \
            .size = {window, window},                                                                                  \
            .stride = {strides, strides}                                                                               \
        }                                                                                                              \
    }
#define DENSE(batch, in, out)                                                                                          \
    {                                                                                                                  \
        .kind = OP_DENSE, .n = (batch), .inputs = 1, .x = {SHAPE(in)}, .params = 2, .has_w = {true, true}, .w = {      \
            SHAPE(in, out),                                                                                            \
            SHAPE(out)                                                                                                 \
        }                                                                                                              \
    }
#define RELU(batch, ...)                                                                                               \
    {                                                                                                                  \
        .kind = OP_ACTIVATION, .n = (batch), .inputs = 1, .x = {SHAPE(__VA_ARGS__)}, .attr.activation = {              \
            .kind = ACTIVATION_RELU,                                                                                   \
            .max_value = INFINITY                                                                                      \
        }                                                                                                              \
    }
#define BATCH_NORM(batch, H, C)                                                                                        \
    {.kind = OP_BATCH_NORM,                                                                                            \
     .n = (batch),                                                                                                     \
     .inputs = 1,                                                                                                      \
     .x = {SHAPE(H, H, C)},                                                                                            \
     .params = 4,                                                                                                      \
     .has_w = {true, true, true, true},                                                                                \
     .w = {SHAPE(C), SHAPE(C), SHAPE(C), SHAPE(C)},                                                                    \
     .attr.norm = {.epsilon = 1e-3, .momentum = 0.99}},                                                                \
        .forward_w = 12
#define ADD(batch, H, C)                                                                                               \
    {                                                                                                                  \
        .kind = OP_ADD, .n = (batch), .inputs = 2, .x = { SHAPE(H, H, C), SHAPE(H, H, C) }                             \
    }
#define DROPOUT(batch, in)                                                                                             \
    {                                                                                                                  \
        .kind = OP_DROPOUT, .n = (batch), .inputs = 1, .x = {SHAPE(in)}, .attr.dropout = {.rate = 0.5 }                \
    }
#define LOSS(batch, classes)                                                                                           \
    {.kind = OP_LOSS,                                                                                                  \
     .n = (batch),                                                                                                     \
     .inputs = 2,                                                                                                      \
     .x = {SHAPE(classes), SHAPE(1)},                                                                                  \
     .attr.loss = {.kind = LOSS_SPARSE_CROSSENTROPY, .from_logits = true, .weight = 1}},                               \
        .fill = zero_labels, .fixed_x = 2

static void zero_labels(const OpDesc *op, Real **x, Real **w) {
    (void)w;
    memset(x[1], 0, op->n * sizeof *x[1]);
}

/* The convolutional network of Keras's MNIST example (keras.io/examples/vision/mnist_convnet, a dense layer of 128
 * added), whose whole step is summed below. */
static const OpCase mnist[] = {
    {"conv 3x3, 1 to 32", CONV(64, 28, 1, 3, 32, 1, VALID, 1), .fixed_x = 1},
    {"relu 26x26x32", RELU(64, 26, 26, 32)},
    {"max 2x2", POOL(MAX, 64, 26, 32, 2, 2)},
    {"conv 3x3, 32 to 64", CONV(64, 13, 32, 3, 64, 1, VALID, 1)},
    {"relu 11x11x64", RELU(64, 11, 11, 64)},
    {"max 2x2", POOL(MAX, 64, 11, 64, 2, 2)},
    {"dense 1600 to 128", DENSE(64, 1600, 128)},
    {"relu 128", RELU(64, 128)},
    {"dropout 128", DROPOUT(64, 128)},
    {"dense 128 to 10", DENSE(64, 128, 10)},
    {"loss", LOSS(64, 10)},
};

/* The zoo's digits-net, one image a step. */
static const OpCase digits[] = {
    {"conv 5x5, 1 to 10", CONV(1, 28, 1, 5, 10, 1, VALID, 1), .fixed_x = 1},
    {"max 2x2", POOL(MAX, 1, 24, 10, 2, 2)},
    {"relu 12x12x10", RELU(1, 12, 12, 10)},
    {"conv 5x5, 10 to 20", CONV(1, 12, 10, 5, 20, 1, VALID, 1)},
    {"max 2x2", POOL(MAX, 1, 8, 20, 2, 2)},
    {"relu 4x4x20", RELU(1, 4, 4, 20)},
    {"dense 320 to 50", DENSE(1, 320, 50)},
    {"relu 50", RELU(1, 50)},
    {"dense 50 to 10", DENSE(1, 50, 10)},
    {"loss", LOSS(1, 10)},
};

static const OpCase others[] = {
    {"28x28 3x3 1 to 32", CONV(16, 28, 1, 3, 32, 1, SAME, 1), .fixed_x = 1},
    {"32x32 3x3 3 to 16", CONV(16, 32, 3, 3, 16, 1, SAME, 1), .fixed_x = 1},
    {"32x32 3x3/2 16 to 32", CONV(16, 32, 16, 3, 32, 2, SAME, 1)},
    {"16x16 3x3/2 32 to 64", CONV(16, 16, 32, 3, 64, 2, SAME, 1)},
    {"32x32 3x3 3 to 64", CONV(8, 32, 3, 3, 64, 1, SAME, 1), .fixed_x = 1},
    {"14x14 3x3 32 to 64", CONV(8, 14, 32, 3, 64, 1, SAME, 1)},
    {"7x7 3x3 64 to 128", CONV(16, 7, 64, 3, 128, 1, SAME, 1)},
    {"14x14 3x3 64 to 128", CONV(32, 14, 64, 3, 128, 1, SAME, 1)},
    {"32x32 3x3 16 to 16", CONV(4, 32, 16, 3, 16, 1, SAME, 1)},
    {"16x16 3x3 32 to 32", CONV(8, 16, 32, 3, 32, 1, SAME, 1)},
    {"8x8 3x3 64 to 64", CONV(16, 8, 64, 3, 64, 1, SAME, 1)},
    {"32x32 3x3 64 to 64", CONV(2, 32, 64, 3, 64, 1, SAME, 1)},
    {"16x16 3x3 128 to 128", CONV(4, 16, 128, 3, 128, 1, SAME, 1)},
    {"8x8 3x3 256 to 256", CONV(32, 8, 256, 3, 256, 1, SAME, 1)},
    {"4x4 3x3 512 to 512", CONV(64, 4, 512, 3, 512, 1, SAME, 1)},
    {"56x56 3x3 64 to 64", CONV(2, 56, 64, 3, 64, 1, SAME, 1)},
    {"28x28 3x3 128 to 128", CONV(2, 28, 128, 3, 128, 1, SAME, 1)},
    {"14x14 3x3 256 to 256", CONV(8, 14, 256, 3, 256, 1, SAME, 1)},
    {"7x7 3x3 512 to 512", CONV(16, 7, 512, 3, 512, 1, SAME, 1)},
    {"56x56 1x1 64 to 256", CONV(8, 56, 64, 1, 256, 1, SAME, 1)},
    {"56x56 1x1 256 to 64", CONV(8, 56, 256, 1, 64, 1, SAME, 1)},
    {"56x56 1x1/2 128 to 256", CONV(8, 56, 128, 1, 256, 2, SAME, 1)},
    {"224x224 7x7/2 3 to 64", CONV(4, 224, 3, 7, 64, 2, SAME, 1), .fixed_x = 1},
    {"14x14 3x3 128, 32 groups", CONV(8, 14, 128, 3, 128, 1, SAME, 32)},
    {"112x112 depthwise 3x3 32", CONV(1, 112, 32, 3, 32, 1, SAME, 32)},
    {"112x112 depthwise 3x3/2 96", CONV(1, 112, 96, 3, 96, 2, SAME, 96)},
    {"56x56 depthwise 3x3 144", CONV(1, 56, 144, 3, 144, 1, SAME, 144)},
    {"56x56 depthwise 3x3/2 144", CONV(1, 56, 144, 3, 144, 2, SAME, 144)},
    {"28x28 depthwise 5x5 240", CONV(1, 28, 240, 5, 240, 1, SAME, 240)},
    {"28x28 depthwise 5x5/2 240", CONV(1, 28, 240, 5, 240, 2, SAME, 240)},
    {"19x19 depthwise 3x3 728", CONV(1, 19, 728, 3, 728, 1, SAME, 728)},
    {"14x14 depthwise 3x3 512", CONV(1, 14, 512, 3, 512, 1, SAME, 512)},
    {"14x14 depthwise 3x3 528", CONV(1, 14, 528, 3, 528, 1, SAME, 528)},
    {"14x14 depthwise 3x3 144", CONV(1, 14, 144, 3, 144, 1, SAME, 144)},
    {"56x56 depthwise 3x3 16", CONV(1, 56, 16, 3, 16, 1, SAME, 16)},
    {"7x7 depthwise 3x3 960", CONV(3, 7, 960, 3, 960, 1, SAME, 960)},
    {"7x7 depthwise 5x5 1152", CONV(2, 7, 1152, 5, 1152, 1, SAME, 1152)},
    {"8x8 depthwise 7x7 384", CONV(4, 8, 384, 7, 384, 1, SAME, 384)},
    {"series 96 8 1 to 128", SERIES(16, 96, 1, 8, 128), .fixed_x = 1},
    {"series 96 5 128 to 256", SERIES(16, 96, 128, 5, 256)},
    {"series 96 3 256 to 128", SERIES(16, 96, 256, 3, 128)},
    {"c3d 16x56x56 64 to 128", CONV3D(1, 16, 56, 64, 128)},
    {"c3d 8x28x28 128 to 256", CONV3D(1, 8, 28, 128, 256)},
    {"c3d 4x14x14 512 to 512", CONV3D(2, 4, 14, 512, 512)},
    {"c3d 16x112x112 3 to 64", CONV3D(1, 16, 112, 3, 64), .fixed_x = 1},
    {"batch norm 56x56x64", BATCH_NORM(8, 56, 64)},
    {"batch norm 32x32x16", BATCH_NORM(32, 32, 16)},
    {"relu 56x56x64", RELU(8, 56, 56, 64)},
    {"add 56x56x64", ADD(8, 56, 64)},
    {"max 3x3/2 112x112x64", POOL(MAX, 4, 112, 64, 3, 2)},
    {"average 2x2 56x56x64", POOL(AVERAGE, 8, 56, 64, 2, 2)},
    {"dropout 12544", DROPOUT(64, 12544)},
};

enum { RUNS = 15 };

/* Shorter passes are timed several at once: reading the clock takes almost a microsecond. */
static const double SHORT = 1e-4;

/* Best time of a pass; the direct call leaves out the harness's filling with NaN. */
static double best_time(OpRun *run, bool forward, bool want_x, bool want_w) {
    OpBuffers b = {.y = run->y,
                   .dy = run->dy,
                   .first = true,
                   .last = true,
                   .saved = run->saved,
                   .totals = run->totals,
                   .packed = run->packed,
                   .work = run->work,
                   .context = &run->context};
    bool collects = op_collects(&run->op);
    double best = INFINITY;
    for (size_t i = 0; i < run->op.inputs; i++) {
        b.x[i] = run->x[i];
        b.dx[i] = want_x ? run->dx[i] : NULL;
    }
    for (size_t i = 0; i < run->op.params; i++) {
        b.w[i] = run->w[i];
        b.dw[i] = (want_w || forward) ? run->dw[i] : NULL;
    }
    b.pack = true;
    for (size_t i = 0, calls = 1; i < RUNS; i++, b.pack = false) {
        double start = seconds(), time;
        for (size_t call = 0; call < calls; call++) {
            if (collects)
                (forward ? run->backend->collect : run->backend->collect_backward)(run->state, &b);
            (forward ? run->backend->forward : run->backend->backward)(run->state, &b);
        }
        time = (seconds() - start) / (double)calls;
        best = fmin(best, time);
        calls = time < SHORT ? (size_t)(SHORT / time) + 1 : 1;
    }
    return best;
}

static double gflops(double operations, double time) {
    return 1e-9 * operations / time;
}

/* What the command line says. */
typedef struct Choice {
    const char *backend, *part; /* part of the names of cases; "": all */
} Choice;

/* Prints one line, adds the time of forward and backward to *total. */
static Status measure(const OpCase *c, const Choice *choice, double *total) {
    OpDesc op = c->op;
    OpRun run;
    if (!strstr(c->name, choice->part))
        return STATUS_OK;
    TRY(op_shape(&op));
    op.training = true;
    op.winograd = true;
    const Backend *backend = backend_select(&op, choice->backend);
    TRY(op_run_create(&run, c, backend, true, ~0u, ~0u));
    double work = (double)op.n * op_flops(&op);
    double forward = best_time(&run, true, false, false);
    double both = best_time(&run, false, true, true);
    printf("%-27s %-9s n %-3zu %9.1f us %6.1f |", c->name, backend->name, op.n, 1e6 * forward, gflops(work, forward));
    if (run.dw[0] && c->forward_w == 0) {
        double dw = best_time(&run, false, false, true), dx = best_time(&run, false, true, false);
        printf(" dw %9.1f us %6.1f |", 1e6 * dw, gflops(work, dw));
        if (run.dx[0])
            printf(" dx %9.1f us %6.1f | both %6.1f", 1e6 * dx, gflops(work, dx), gflops(2 * work, both));
        printf("\n");
    } else {
        printf(" backward %9.1f us\n", 1e6 * both);
    }
    *total += forward + both;
    op_run_destroy(&run);
    return STATUS_OK;
}

static Status measure_all(const Choice *choice) {
    double step = 0, image = 0, ignored = 0;
    TRY(backend_check_name(choice->backend));
    printf("columns: forward us GFLOP/s | gradients us GFLOP/s\nsgemm 1024: %.1f GFLOP/s\n", sgemm_peak());
    for (size_t i = 0; i < COUNT(mnist); i++)
        TRY(measure(&mnist[i], choice, &step));
    if (!*choice->part)
        printf("Keras's MNIST network, sum of kernels: %.2f ms for a batch of 64, %.0f images/s\n", 1e3 * step,
               64 / step);
    for (size_t i = 0; i < COUNT(digits); i++)
        TRY(measure(&digits[i], choice, &image));
    if (!*choice->part)
        printf("digits-net, sum of kernels: %.1f us for one image, %.0f images/s\n", 1e6 * image, 1 / image);
    for (size_t i = 0; i < COUNT(others); i++)
        TRY(measure(&others[i], choice, &ignored));
    return STATUS_OK;
}

int main(int argc, char **argv) {
    char text[128];
    backend_fix_cpu(argv);
    printf("%s\n", backend_describe(text, sizeof text));
    Choice choice = {argc > 1 ? argv[1] : NULL, argc > 2 ? argv[2] : ""};
    Status status = measure_all(&choice);
    if (status != STATUS_OK)
        fprintf(stderr, "bench_kernels: error: %s\n", status_message());
    return (int)status;
}
