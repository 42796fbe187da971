/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks drawn at random from everything that makes memory planning hard: draw_network, at the end. */
#ifndef TESTS_UNIT_DRAW_NETWORK_H
#define TESTS_UNIT_DRAW_NETWORK_H
#include "base/rng.h"
#include "graph/graph.h"
#include "support/assert_status.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { N = 5, SIDE = 3, C = 4, STEPS = 14, FRONT = 6, MAX_LOSSES = 3, MAX_INPUTS = 1 + MAX_LOSSES, NETWORKS = 200 };

typedef struct Draw {
    RngKey key;
    uint64_t drawn;
    Graph *graph;
    int tensors[1 + STEPS]; /* nodes of shape [SIDE, SIDE, C] */
    size_t count;
    bool frozen; /* what is added now */
    int kernels[STEPS], norms[STEPS][4];
    size_t kernel_count, norm_count;
} Draw;

static size_t pick(Draw *d, size_t choices) {
    return (size_t)(rng_uniform(d->key, d->drawn++, 0) * (double)choices);
}

static int any_tensor(Draw *d) {
    size_t back = pick(d, 2) ? d->count : d->count < 3 ? d->count : 3; /* often a recent one: chains */
    return d->tensors[d->count - 1 - pick(d, back)];
}

static int param(Draw *d, const char *name, Shape shape, ParamRole role, double mean) {
    char layer[32]; /* decides the initial values */
    snprintf(layer, sizeof layer, "layer%zu", d->graph->param_count);
    ParamSpec spec = {.layer = layer,
                      .name = name,
                      .shape = shape,
                      .role = role,
                      .init = {.kind = INIT_NORMAL, .a = mean, .b = 0.3},
                      .momentum = 0.9};
    int made;
    assert_ok(graph_param(d->graph, &spec, &made));
    return made;
}

static ParamRole weight_role(Draw *d) {
    return pick(d, 4) && !d->frozen ? PARAM_TRAINED : PARAM_FROZEN;
}

static int op(Draw *d, OpDesc desc, size_t inputs, const int *x, size_t params, const int *w) {
    int node;
    assert_ok(graph_op(d->graph, "layer", &desc, inputs, x, params, w, &node));
    return node;
}

static int op1(Draw *d, OpDesc desc, int x) {
    return op(d, desc, 1, &x, 0, NULL);
}

static int activation(Draw *d, int x) {
    static const Activation kinds[] = {ACTIVATION_LINEAR, ACTIVATION_RELU,    ACTIVATION_ELU,
                                       ACTIVATION_TANH,   ACTIVATION_SIGMOID, ACTIVATION_SILU};
    ActivationAttr attr = {.kind = kinds[pick(d, 6)], .max_value = INFINITY, .alpha = 1};
    attr.slope = pick(d, 2) ? 0.3 : 0;
    attr.max_value = pick(d, 2) ? INFINITY : 2;
    return op1(d, (OpDesc){.kind = OP_ACTIVATION, .attr.activation = attr}, x);
}

static int convolution(Draw *d, int x) {
    size_t channels = graph_shape(d->graph, x).dim[2];
    OpDesc desc = {.kind = OP_CONV2D,
                   .attr.conv = {.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}, .groups = 1, .filters = C}};
    int w = -1;
    if (channels == C && d->kernel_count > 0 && pick(d, 2))
        w = d->kernels[pick(d, d->kernel_count)];
    else
        w = param(d, "kernel", SHAPE(1, 1, channels, C), weight_role(d), 0);
    if (channels == C)
        d->kernels[d->kernel_count++] = w;
    return op(d, desc, 1, &x, 1, &w);
}

static int batch_norm(Draw *d, int x) {
    int *w = d->norms[d->norm_count];
    bool frozen = !pick(d, 4) || d->frozen;
    if (d->norm_count > 0 && pick(d, 2)) {
        memcpy(w, d->norms[pick(d, d->norm_count)], sizeof d->norms[0]);
    } else {
        w[0] = param(d, "gamma", SHAPE(C), weight_role(d), 1);
        w[1] = param(d, "beta", SHAPE(C), weight_role(d), 0);
        w[2] = param(d, "mean", SHAPE(C), PARAM_STATISTIC, 0);
        w[3] = param(d, "variance", SHAPE(C), PARAM_STATISTIC, 3);
    }
    d->norm_count++;
    return op(d, (OpDesc){.kind = OP_BATCH_NORM, .attr.norm = {.epsilon = 0.1, .frozen = frozen}}, 1, &x, 4, w);
}

/* Flat and back: the same memory under three nodes. */
static int reshape_twice(Draw *d, int x) {
    int flat = op1(d, (OpDesc){.kind = OP_RESHAPE, .attr.reshape = {SHAPE(SIDE * SIDE * C)}}, x);
    if (pick(d, 2))
        flat = activation(d, flat);
    return op1(d, (OpDesc){.kind = OP_RESHAPE, .attr.reshape = {SHAPE(SIDE, SIDE, C)}}, flat);
}

static int merge(Draw *d, OpKind kind) {
    int x[3] = {any_tensor(d), any_tensor(d), any_tensor(d)};
    int y = op(d, (OpDesc){.kind = kind}, kind == OP_SUBTRACT ? 2 : 2 + pick(d, 2), x, 0, NULL);
    return kind == OP_MULTIPLY
               ? op1(d, (OpDesc){.kind = OP_ACTIVATION, .attr.activation = {.kind = ACTIVATION_TANH}}, y)
               : y;
}

static int squeeze_and_excite(Draw *d, int x) {
    int x2[] = {x, op1(d, (OpDesc){.kind = OP_GLOBAL_AVERAGE_POOL2D, .attr.pool.keepdims = true}, x)};
    return op(d, (OpDesc){.kind = pick(d, 2) ? OP_MULTIPLY : OP_ADD}, 2, x2, 0, NULL);
}

/* What is fused: an operation, perhaps an addition, then a ReLU, none of which anything else reads. */
static int fused(Draw *d, int x) {
    ActivationAttr relu = {.kind = ACTIVATION_RELU, .max_value = pick(d, 2) ? 1 : INFINITY};
    int y = pick(d, 2) ? convolution(d, x) : batch_norm(d, x);
    if (pick(d, 2))
        y = op(d, (OpDesc){.kind = OP_ADD}, 2, pick(d, 2) ? (int[]){x, y} : (int[]){y, any_tensor(d)}, 0, NULL);
    return pick(d, 4) ? op1(d, (OpDesc){.kind = OP_ACTIVATION, .attr.activation = relu}, y) : y;
}

static int next_tensor(Draw *d) {
    int x = any_tensor(d);
    switch (pick(d, 16)) {
    case 0:
    case 1:
    case 2:
        return activation(d, x);
    case 3:
        return batch_norm(d, x);
    case 4:
        return reshape_twice(d, x);
    case 5:
        return merge(d, OP_SUBTRACT);
    case 6:
        return merge(d, OP_AVERAGE);
    case 7:
        return merge(d, OP_MULTIPLY);
    case 8:
        return squeeze_and_excite(d, x);
    case 9:
        return convolution(d,
                           op(d, (OpDesc){.kind = OP_CONCAT, .attr.axis = 2}, 2, (int[]){x, any_tensor(d)}, 0, NULL));
    case 10:
        if (d->frozen)
            return convolution(d, x);
        return op1(d, (OpDesc){.kind = OP_DROPOUT, .attr.dropout = {.rate = 0.3, .stream = d->drawn}}, x);
    case 11:
    case 12:
        return fused(d, x);
    case 13:
        return merge(d, OP_ADD);
    case 14:
        return op1(d, (OpDesc){.kind = OP_RESCALE, .attr.rescale = {0.8, 0.1}}, x);
    default:
        return convolution(d, x);
    }
}

/* all_outputs: every tensor is an output, so that a prediction reuses none of them.  cut, if wanted: a node behind the
 * input, in front of which nothing is trained or random. */
static Graph *draw_network(uint64_t number, bool all_outputs, int *cut) {
    Draw d = {.key = rng_key(number, RNG_TEST, 0, 0), .count = 1, .frozen = cut != NULL};
    OpDesc loss = {.kind = OP_LOSS, .attr.loss = {.kind = LOSS_MEAN_SQUARED_ERROR, .weight = 1}};
    assert_ok(graph_create(&d.graph));
    assert_ok(graph_input(d.graph, "x", SHAPE(SIDE, SIDE, C), &d.tensors[0]));
    d.tensors[d.count++] = convolution(&d, d.tensors[0]);
    while (d.count <= STEPS) {
        d.tensors[d.count++] = next_tensor(&d);
        if (cut && d.count == 1 + FRONT) {
            d.frozen = false;
            d.norm_count = 0; /* statistics that move are not shared with the front */
            *cut = d.tensors[1 + number % FRONT];
        }
    }
    for (size_t i = 0, losses = 1 + pick(&d, MAX_LOSSES); i < losses; i++) {
        int x[] = {i == 0 ? d.tensors[STEPS] : any_tensor(&d), 0};
        assert_ok(graph_input(d.graph, (const char *[]){"y", "y1", "y2"}[i], SHAPE(SIDE, SIDE, C), &x[1]));
        op(&d, loss, 2, x, 0, NULL);
    }
    for (size_t i = 1; i < d.count; i++)
        if (all_outputs || i % 5 == 4)
            assert_ok(graph_output(d.graph, "output", d.tensors[i]));
    assert_ok(graph_finish(d.graph));
    return d.graph;
}

#endif
