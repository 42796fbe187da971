/* SPDX-License-Identifier: Apache-2.0
 *
 * Grad-CAM: the maps of PyTorch (golden/make_grad_cam.py), with trained and with frozen parameters, a batch norm and a
 * dropout that must not be those of training; classes of one number; what has no maps. */
#include "base/memory.h"
#include "graph/graph.h"
#include "support/assert_status.h"
#include "train/grad_cam.h"
#include <math.h>

enum { H = 6, W = 7, C = 2, K1 = 4, K2 = 3, CLASSES = 3 };

typedef struct Golden {
    int tap;
    size_t class;
    double score;
    size_t height, width;
    double map[H * W];
} Golden;
static const Golden golden[] = {
#include "golden/grad_cam.inc"
};

static void fill(Real *to, size_t count, int array) {
    for (size_t i = 0; i < count; i++)
        to[i] = (Real)(sin(0.7 * (double)i + array) + 0.2);
}

static int add_param(Graph *g, const char *layer, const char *name, Shape shape, ParamRole role) {
    int param;
    ParamSpec spec = {.layer = layer, .name = name, .shape = shape, .role = role, .init.kind = INIT_CONSTANT};
    assert_ok(graph_param(g, &spec, &param));
    return param;
}

static int add_conv(Graph *g, const char *layer, int x, size_t in, size_t out, Padding padding, ParamRole role) {
    OpDesc conv = {
        .kind = OP_CONV2D,
        .attr.conv = {
            .kernel = {3, 3}, .stride = {1, 1}, .dilation = {1, 1}, .groups = 1, .filters = out, .padding = padding}};
    OpDesc relu = {.kind = OP_ACTIVATION, .attr.activation = {.kind = ACTIVATION_RELU, .max_value = INFINITY}};
    int params[2] = {add_param(g, layer, "kernel", SHAPE(3, 3, in, out), role),
                     add_param(g, layer, "bias", SHAPE(out), role)};
    assert_ok(graph_op(g, layer, &conv, 1, &x, 2, params, &x));
    assert_ok(graph_op(g, layer, &relu, 1, &x, 0, NULL, &x));
    return x;
}

/* A batch norm that changes nothing in prediction: its moving mean is 0 and its moving variance 1. */
static int add_norm(Graph *g, int x, size_t channels) {
    OpDesc norm = {.kind = OP_BATCH_NORM, .attr.norm = {.momentum = 0.9}};
    int params[4] = {add_param(g, "bn", "gamma", SHAPE(channels), PARAM_TRAINED),
                     add_param(g, "bn", "beta", SHAPE(channels), PARAM_TRAINED),
                     add_param(g, "bn", "moving_mean", SHAPE(channels), PARAM_STATISTIC),
                     add_param(g, "bn", "moving_variance", SHAPE(channels), PARAM_STATISTIC)};
    assert_ok(graph_op(g, "bn", &norm, 1, &x, 4, params, &x));
    return x;
}

typedef struct Net {
    Graph *graph;
    Real *weights, x[H * W * C];
    int taps[3]; /* 1, 2: maps behind the activations */
} Net;

static Net build(ParamRole role, size_t classes) {
    Net net = {.graph = NULL};
    OpDesc drop = {.kind = OP_DROPOUT, .attr.dropout = {.rate = 0.5}};
    OpDesc pool = {.kind = OP_GLOBAL_AVERAGE_POOL2D}, dense = {.kind = OP_DENSE};
    OpDesc end = {.kind = classes > 1 ? OP_SOFTMAX : OP_ACTIVATION, .attr.activation.kind = ACTIVATION_SIGMOID};
    int node;
    if (classes > 1)
        end.attr = (OpAttr){.axis = 0};
    assert_ok(graph_create(&net.graph));
    Graph *g = net.graph;
    assert_ok(graph_input(g, "x", SHAPE(H, W, C), &node));
    node = net.taps[1] = add_conv(g, "conv1", node, C, K1, PADDING_SAME, role);
    assert_ok(graph_op(g, "drop", &drop, 1, &node, 0, NULL, &node));
    node = add_norm(g, node, K1);
    node = net.taps[2] = add_conv(g, "conv2", node, K1, K2, PADDING_VALID, role);
    assert_ok(graph_op(g, "pool", &pool, 1, &node, 0, NULL, &node));
    int params[2] = {add_param(g, "fc", "kernel", SHAPE(K2, classes), role),
                     add_param(g, "fc", "bias", SHAPE(classes), role)};
    assert_ok(graph_op(g, "fc", &dense, 1, &node, 2, params, &node));
    assert_ok(graph_op(g, "fc", &end, 1, &node, 0, NULL, &node));
    assert_ok(graph_output(g, "fc", node));
    assert_ok(graph_finish(g));
    assert_ok(memory_new(&net.weights, g->weight_count, "weights"));
    fill(net.x, H * W * C, 1);
    for (size_t p = 0, array = 2; p < g->param_count; p++)
        if (strcmp(g->params[p].spec.layer, "bn") != 0)
            fill(net.weights + g->params[p].offset, g->params[p].count, (int)array++);
        else
            for (size_t i = 0; i < g->params[p].count; i++) /* gamma, variance 1; beta, mean 0 */
                net.weights[g->params[p].offset + i] =
                    strcmp(g->params[p].spec.name, "gamma") == 0 || strstr(g->params[p].spec.name, "variance") != NULL;
    return net;
}

static void drop_net(Net *net) {
    graph_destroy(net->graph);
    memory_free(net->weights);
    assert_int_equal(memory_stats().live_count, 0);
}

static void maps_are_those_of_pytorch(void **state) {
    (void)state;
    for (int frozen = 0; frozen < 2; frozen++) {
        Net net = build(frozen ? PARAM_FROZEN : PARAM_TRAINED, CLASSES);
        assert_int_equal(grad_cam_node(net.graph), net.taps[2]);
        for (size_t k = 0; k < sizeof golden / sizeof *golden; k++) {
            const Golden *expected = &golden[k];
            GradCam cam;
            assert_ok(grad_cam(net.graph, net.weights, net.x, net.taps[expected->tap], expected->class, NULL, &cam));
            assert_int_equal(cam.height, expected->height);
            assert_int_equal(cam.width, expected->width);
            double largest = 0, slack = sizeof(Real) == sizeof(float) ? 1e-4 : 1e-6;
            assert_true(fabs(cam.score - expected->score) < slack);
            for (size_t i = 0; i < cam.height * cam.width; i++)
                largest = fmax(largest, expected->map[i]);
            assert_true(largest > 1e-3);
            for (size_t i = 0; i < cam.height * cam.width; i++)
                assert_true(fabs(cam.map[i] - expected->map[i]) < slack * largest);
            memory_free(cam.map);
        }
        drop_net(&net);
    }
}

/* Of one number z, class 0 has the score -z. */
static void one_number_is_two_classes(void **state) {
    (void)state;
    Net net = build(PARAM_TRAINED, 1);
    GradCam no, yes;
    assert_ok(grad_cam(net.graph, net.weights, net.x, net.taps[1], 0, NULL, &no));
    assert_ok(grad_cam(net.graph, net.weights, net.x, net.taps[1], 1, NULL, &yes));
    double sum = 0;
    assert_true(fabs(no.score + yes.score) < 1e-6);
    for (size_t i = 0; i < H * W; i++) {
        assert_true(no.map[i] == 0 || yes.map[i] == 0);
        sum += no.map[i] + yes.map[i];
    }
    assert_true(sum > 0.01);
    memory_free(no.map);
    memory_free(yes.map);
    assert_fails_with(STATUS_USAGE, grad_cam(net.graph, net.weights, net.x, net.taps[1], 2, NULL, &no), "2 classes");
    drop_net(&net);
}

static void what_has_no_maps(void **state) {
    (void)state;
    Net net = build(PARAM_TRAINED, CLASSES);
    GradCam cam;
    int pooled = net.taps[2] + 1, output = net.graph->outputs[0].node;
    assert_fails_with(STATUS_USAGE, grad_cam(net.graph, net.weights, net.x, pooled, 0, NULL, &cam),
                      "layer pool has no");
    assert_fails_with(STATUS_USAGE, grad_cam(net.graph, net.weights, net.x, output, 0, NULL, &cam), "layer fc has no");
    for (size_t n = 1, failed = 1; failed; n++) {
        memory_fail_at(n);
        failed = grad_cam(net.graph, net.weights, net.x, net.taps[1], 0, NULL, &cam) != STATUS_OK;
        memory_fail_at(0);
        if (!failed)
            memory_free(cam.map);
    }
    drop_net(&net);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(maps_are_those_of_pytorch),
                                       cmocka_unit_test(one_number_is_two_classes), cmocka_unit_test(what_has_no_maps)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
