/* SPDX-License-Identifier: Apache-2.0
 *
 * Learning-rate multipliers of a network with two branches: a, its batch norm, then b and c or d alone, added, then
 * e. */
#include "base/memory.h"
#include "train/rates.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define assert_ok(call)                                                                                                \
    do {                                                                                                               \
        if ((call) != STATUS_OK)                                                                                       \
            fail_msg("%s: %s", #call, status_message());                                                               \
    } while (0)

static int add_param(Graph *g, const char *layer, const char *name, Shape shape, ParamRole role) {
    int p;
    assert_ok(graph_param(g, &(ParamSpec){.layer = layer, .name = name, .shape = shape, .role = role}, &p));
    return p;
}

static int dense(Graph *g, const char *layer, int x) {
    int y, kernel = add_param(g, layer, "kernel", SHAPE(3, 3), PARAM_TRAINED);
    int bias = add_param(g, layer, "bias", SHAPE(3), PARAM_TRAINED);
    assert_ok(graph_op(g, layer, &(OpDesc){.kind = OP_DENSE}, 1, &x, 2, (int[]){kernel, bias}, &y));
    return y;
}

static Graph *make_graph(void) {
    Graph *g;
    int x, a, sum, label, loss;
    assert_ok(graph_create(&g));
    assert_ok(graph_input(g, "x", SHAPE(3), &x));
    assert_ok(graph_input(g, "y", SHAPE(3), &label));
    a = dense(g, "a", x);
    int norm[] = {add_param(g, "bn", "gamma", SHAPE(3), PARAM_TRAINED),
                  add_param(g, "bn", "beta", SHAPE(3), PARAM_TRAINED),
                  add_param(g, "bn", "moving_mean", SHAPE(3), PARAM_STATISTIC),
                  add_param(g, "bn", "moving_variance", SHAPE(3), PARAM_STATISTIC)};
    OpDesc batch_norm = {.kind = OP_BATCH_NORM, .attr.norm = {.epsilon = 1e-3, .momentum = 0.9}};
    assert_ok(graph_op(g, "bn", &batch_norm, 1, &a, 4, norm, &a));
    int c = dense(g, "c", dense(g, "b", a)), d = dense(g, "d", a);
    assert_ok(graph_op(g, "sum", &(OpDesc){.kind = OP_ADD}, 2, (int[]){c, d}, 0, NULL, &sum));
    sum = dense(g, "e", sum);
    assert_ok(graph_output(g, "e", sum));
    OpDesc mse = {.kind = OP_LOSS, .attr.loss = {.kind = LOSS_MEAN_SQUARED_ERROR, .weight = 1}};
    assert_ok(graph_op(g, "e", &mse, 2, (int[]){sum, label}, 0, NULL, &loss));
    assert_ok(graph_finish(g));
    return g;
}

/* expected: "a 0.5, b 1": of each layer's first parameter. */
static void expect(const char *rules, double decay, const char *expected) {
    static Config config;
    Graph *g = make_graph();
    double *multipliers;
    char text[256] = "";
    config.layer_decay = decay;
    snprintf(config.lr_multiplier, sizeof config.lr_multiplier, "%s", rules);
    if (rates_multipliers(&config, g, &multipliers) != STATUS_OK) {
        assert_null(multipliers);
        if (strstr(status_message(), expected) == NULL)
            fail_msg("\"%s\" lacks \"%s\"", status_message(), expected);
    } else {
        for (size_t p = 0; p < g->param_count; p++) {
            const char *layer = g->params[p].spec.layer;
            if (p == 0 || strcmp(layer, g->params[p - 1].spec.layer) != 0)
                snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s %g", p ? ", " : "", layer,
                         multipliers[p]);
            else if (g->params[p].spec.role == PARAM_TRAINED)
                assert_true(multipliers[p] == multipliers[p - 1]);
        }
        assert_string_equal(text, expected);
    }
    memory_free(multipliers);
    graph_destroy(g);
}

static void rates(void **state) {
    (void)state;
    expect("", 0.5, "a 0.125, bn 0.125, b 0.25, c 0.5, d 0.5, e 1");
    expect("a=0.5,[cd]=0,bn=2", 0, "a 0.5, bn 2, b 1, c 0, d 0, e 1");
    expect("*=0.5,e=3", 0, "a 0.5, bn 0.5, b 0.5, c 0.5, d 0.5, e 3");
    expect("?=0.1,e=1e1", 0.5, "a 0.0125, bn 0.125, b 0.025, c 0.05, d 0.05, e 10");
    expect("f*=1", 0, "--lr-multiplier f*: no layer of that name is trained");
    expect("bnn=1", 0, "Near: bn");
    const char *const wrong[] = {"a", "a=", "=1", "a=x", "a=-1", "a=1x", "a=inf", "a=nan", "a=1,"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        expect(wrong[i], 0, "must be PATTERN=X");
}

static void nothing_asked_costs_nothing(void **state) {
    (void)state;
    static Config config;
    double *multipliers;
    config.lr_multiplier[0] = '\0';
    config.layer_decay = 0;
    Graph *g = make_graph();
    size_t before = memory_stats().total_count;
    assert_ok(rates_multipliers(&config, g, &multipliers));
    assert_null(multipliers);
    assert_int_equal(memory_stats().total_count, before);
    graph_destroy(g);
    assert_int_equal(memory_stats().live_count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(rates), cmocka_unit_test(nothing_asked_costs_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
