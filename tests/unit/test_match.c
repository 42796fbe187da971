/* SPDX-License-Identifier: Apache-2.0
 *
 * Weights of files find their parameters: in files that Keras 2 and 3 wrote of networks in networks
 * (keras/kerasN_nested.*, made by tests/golden/make_keras_nested.py, weights by the formula there), and by name, class
 * path and order in lists made here, whose k-th tensor holds the number k. */
#include "train/match.h"
#include "unit/model_test.h"
#include <math.h>

typedef struct Network {
    Model *model;
    Graph *graph;
    Real *weights;
} Network;

/* parts: NULL, or a letter per layer, f: frozen before the weights are looked for. */
static void open_parts(const char *text, const char *parts, Network *net) {
    assert_ok(model_parse(text, "network", &net->model));
    for (size_t l = 0; parts && l < net->model->layer_count; l++)
        net->model->layers[l].trainable = parts[l] != 'f';
    assert_ok(graph_create(&net->graph));
    assert_ok(model_build(net->model, &(ModelBuild){0}, net->graph));
    assert_ok(graph_finish(net->graph));
    assert_ok(memory_new(&net->weights, net->graph->weight_count, "weights"));
    for (size_t i = 0; i < net->graph->weight_count; i++)
        net->weights[i] = -1;
}

static void open_network(const char *text, Network *net) {
    open_parts(text, NULL, net);
}

static void close_network(Network *net) {
    memory_free(net->weights);
    graph_destroy(net->graph);
    model_destroy(net->model);
}

/* ---- files of Keras ---- */

/* Compares all weights with the formula of make_keras_nested.py, layers by place. */
static void compare_with_formula(const Network *net, const char *file) {
    size_t j = 0;
    for (size_t place = 0; place < 2 * net->model->layer_count; place++)
        for (size_t l = 0; l < net->model->layer_count; l++) {
            int params[MODEL_LAYER_PARAMS];
            size_t n = model_layer_params(net->model, l, net->graph, params);
            for (size_t p = 0; net->model->layers[l].place == place && p < n; p++, j++) {
                const Param *param = &net->graph->params[params[p]];
                bool one = strstr(param->spec.name, "gamma") || strstr(param->spec.name, "variance");
                for (size_t k = 0; k < param->count; k++) {
                    double expected = 0.3 * sin(1 + 1.3 * (double)j + 0.7 * (double)k) + one;
                    if (fabs((double)net->weights[param->offset + k] - expected) > 1e-6)
                        fail_msg("%s: %s/%s [%zu] is %g, not %g", file, param->spec.layer, param->spec.name, k,
                                 (double)net->weights[param->offset + k], expected);
                }
            }
        }
    assert_int_equal(j, 34);
}

static void files_of_nested_networks(void **state) {
    (void)state;
    static const struct {
        const char *file, *network;
        MatchWay way;
    } cases[] = {{"keras3_nested.h5", "keras3_nested.json", MATCH_BY_NAME},
                 {"keras2_nested.h5", "keras2_nested.json", MATCH_BY_NAME},
                 {"keras2_nested_weights.h5", "keras3_nested.json", MATCH_BY_NAME},
                 {"keras3_nested.h5", "keras2_nested.json", MATCH_BY_NAME},
                 {"keras3_nested.weights.h5", "keras3_nested.json", MATCH_BY_PATH},
                 {"keras3_nested.keras", "keras2_nested.json", MATCH_BY_PATH}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Network net;
        Checkpoint *file;
        Matches matches;
        char *text = golden(cases[i].network), path[1024];
        const char *root = getenv("CNN_SOURCE_DIR");
        open_network(text, &net);
        free(text);
        snprintf(path, sizeof path, "%s/tests/golden/keras/%s", root ? root : ".", cases[i].file);
        assert_ok(checkpoint_read(path, CHECKPOINT_ANY, &file));
        assert_ok(match_weights(net.model, net.graph, file, cases[i].file, (MatchOptions){0}, &matches));
        assert_int_equal(matches.found[cases[i].way], 34);
        match_copy(&matches, net.weights);
        compare_with_formula(&net, cases[i].file);
        match_free(&matches);
        checkpoint_destroy(file);
        close_network(&net);
    }
}

/* ---- lists made here ---- */

enum { MAX_LAYERS = 8, MAX_WEIGHTS = 8 };

typedef struct List {
    Checkpoint checkpoint;
    CheckpointLayer layers[MAX_LAYERS];
    CheckpointTensor weights[MAX_LAYERS][MAX_WEIGHTS];
    char names[MAX_LAYERS * MAX_WEIGHTS][64];
    Real numbers[MAX_LAYERS * MAX_WEIGHTS][64];
} List;

/* "a a/kernel 2 3|b b/kernel 3 4 b/bias 4": a layer, its weights as stored with their extents. */
static void make_list(const char *text, CheckpointNaming naming, List *list) {
    char copy[512], *end_layer, *end_word;
    size_t tensors = 0;
    memset(list, 0, sizeof *list);
    snprintf(copy, sizeof copy, "%s", text);
    list->checkpoint = (Checkpoint){.naming = naming, .layers = list->layers};
    for (char *one = strtok_r(copy, "|", &end_layer); one; one = strtok_r(NULL, "|", &end_layer)) {
        CheckpointLayer *layer = &list->layers[list->checkpoint.layer_count];
        layer->weights = list->weights[list->checkpoint.layer_count++];
        char *word = strtok_r(one, " ", &end_word);
        layer->name = strcpy(list->names[MAX_LAYERS * MAX_WEIGHTS - list->checkpoint.layer_count], word);
        while ((word = strtok_r(NULL, " ", &end_word)) != NULL) {
            CheckpointTensor *tensor = layer->count ? &layer->weights[layer->count - 1] : NULL;
            if (word[0] >= '0' && word[0] <= '9' && tensor) {
                tensor->shape.dim[tensor->shape.rank++] = (size_t)atoi(word);
                continue;
            }
            tensor = &layer->weights[layer->count++];
            tensor->stored = strcpy(list->names[tensors], word);
            tensor->name = strrchr(tensor->stored, '/') ? strrchr(tensor->stored, '/') + 1 : tensor->stored;
            tensor->data = list->numbers[tensors];
            for (size_t k = 0; k < 64; k++)
                list->numbers[tensors][k] = (Real)tensors;
            tensors++;
        }
    }
}

#define DENSE(name, units) "{\"class_name\":\"Dense\",\"config\":{\"name\":\"" name "\",\"units\":" #units "}}"
#define BATCH_NORM(name)   "{\"class_name\":\"BatchNormalization\",\"config\":{\"name\":\"" name "\"}}"
#define INPUT              "{\"class_name\":\"InputLayer\",\"config\":{\"name\":\"in\",\"batch_input_shape\":[null,2]}}"
#define SEQUENTIAL(name, layers)                                                                                       \
    "{\"class_name\":\"Sequential\",\"config\":{\"name\":\"" name "\",\"layers\":[" INPUT "," layers "]}}"

static const char named[] = SEQUENTIAL("net", DENSE("a", 3) "," DENSE("b", 4));
static const char split[] = SEQUENTIAL("net", DENSE("x_a", 3) "," DENSE("b", 4));
static const char automatic[] = SEQUENTIAL("net", DENSE("dense", 3) "," DENSE("dense_1", 3) "," DENSE("dense_2", 3));
static const char nested[] = SEQUENTIAL("net", SEQUENTIAL("base", DENSE("a", 3) "," BATCH_NORM("n")) "," DENSE("b", 4));

/* What came of it: each parameter's number of the tensor, '-' where it starts anew, in the order of Keras. */
static const struct {
    const char *network, *list;
    bool paths, allow_mismatch;
    const char *expected; /* or a part of the message */
} cases[] = {
    {named, "a a/k 2 3 a/b 3|b b/k 3 4 b/b 4", false, false, "0 1 2 3"},
    {named, "b b/k 3 4 b/b 4|a a/k 2 3 a/b 3", false, false, "2 3 0 1"},
    {named, "x x/k 2 3 x/b 3|y y/k 3 4 y/b 4", false, false, "0 1 2 3"},
    {named, "x x/k 2 3 x/b 3|b b/k 3 4 b/b 4", false, false, "0 1 2 3"},
    {named, "a a/k 2 3 a/b 3|b b/k 3 5 b/b 5", false, false,
     "file: b/k has the shape 3x5, b/kernel of the network has 3x4. Is it of"},
    {named, "a a/k 2 3 a/b 3|b b/k 3 5 b/b 5", false, true, "0 1 - -"},
    {named, "a a/k 2 3 a/b 3", false, false, "file has no weights for layer b of the network (kernel)"},
    {named, "a a/k 2 3 a/b 3", false, true, "0 1 - -"},
    {named, "a a/k 2 3|b b/k 3 4 b/b 4", false, false, "layer a has 1 weights, a of the network has 2"},
    {named, "x x/k 5 5", false, true, "file has no weights that fit any layer"},
    {named, "", false, false, "file has no weights for layer a"},
    /* The network lies in another one there: its group begins with what is trained. */
    {named, "base a_1/x/a/k 2 3 a/b 3|b b/k 3 4 b/b 4", false, false, "0 1 2 3"},
    {named, "base x/a/k 2 3 a/k 2 3 a/b 3|b b/k 3 4 b/b 4", false, false, "1 2 3 4"},
    {split, "base x/a/k 2 3 x/a/b 3|b b/k 3 4 b/b 4", false, false, "0 1 2 3"},
    {nested, "base a/k 2 3 a/b 3 n/g 3 n/b 3 n/m 3 n/v 3|b b/k 3 4 b/b 4", false, false, "0 1 2 3 4 5 6 7"},
    {nested, "a a/k 2 3 a/b 3|n n/g 3 n/b 3 n/m 3 n/v 3|b b/k 3 4 b/b 4", false, false, "0 1 2 3 4 5 6 7"},
    {nested, "base a/k 2 3 a/b 3|b b/k 3 4 b/b 4", false, false, "has no weights for layer n"},
    /* Names that number the layers of a session: the same ones count, others do not. */
    {automatic, "dense_2 c/k 3 3 c/b 3|dense a/k 2 3 a/b 3|dense_1 b/k 3 3 b/b 3", false, false, "2 3 4 5 0 1"},
    {automatic, "dense_1 a/k 2 3 a/b 3|dense_2 b/k 3 3 b/b 3|dense_3 c/k 3 3 c/b 3", false, false, "0 1 2 3 4 5"},
    {automatic, "dense_7 a/k 2 3 a/b 3|dense_8 b/k 3 3 b/b 3", false, false, "no weights for layer dense_2"},
    {automatic, "dense_7 a/k 2 3 a/b 3|dense_8 b/k 3 5 b/b 5|dense_9 c/k 3 3 c/b 3", false, false,
     "dense_8/k has the shape 3x5, dense_1/kernel of the network has 3x3"},
    /* Class paths. */
    {named, "dense_1 w 3 4 w 4|dense w 2 3 w 3", true, false, "2 3 0 1"},
    {named, "sequential/layers/dense w 2 3 w 3|sequential/layers/dense_1 w 3 4 w 4", true, false, "0 1 2 3"},
    {nested, "dense w 3 4 w 4|sequential/layers/dense w 2 3 w 3|sequential/layers/batch_normalization w 3 w 3 w 3 w 3",
     true, false, "2 3 4 5 6 7 0 1"},
    {nested, "dense w 2 3 w 3|batch_normalization w 3 w 3 w 3 w 3|dense_1 w 3 4 w 4", true, false,
     "dense/w has the shape 2x3, b/kernel of the network has 3x4"},
    {named, "dense w 2 3 w 3", true, false, "no weights for layer b"},
};

/* What came of it as text. */
static void describe(const Matches *matches, char *text, size_t size) {
    for (size_t k = 0; k < matches->count; k++) {
        const CheckpointTensor *tensor = matches->of[matches->order[k]].tensor;
        size_t used = strlen(text);
        if (tensor)
            snprintf(text + used, size - used, "%s%d", k ? " " : "", (int)tensor->data[0]);
        else
            snprintf(text + used, size - used, "%s-", k ? " " : "");
    }
}

static void lists(void **state) {
    (void)state;
    static List list;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Network net;
        Matches matches;
        char text[200] = "";
        open_network(cases[i].network, &net);
        make_list(cases[i].list, cases[i].paths ? CHECKPOINT_CLASS_PATHS : CHECKPOINT_LAYER_NAMES, &list);
        Status status = match_weights(net.model, net.graph, &list.checkpoint, "file",
                                      (MatchOptions){.allow_mismatch = cases[i].allow_mismatch}, &matches);
        if (status == STATUS_OK)
            describe(&matches, text, sizeof text);
        if (strstr(status == STATUS_OK ? text : status_message(), cases[i].expected) == NULL)
            fail_msg("%s: \"%s\", expected \"%s\"", cases[i].list, status == STATUS_OK ? text : status_message(),
                     cases[i].expected);
        match_free(&matches);
        close_network(&net);
    }
}

/* Heads: a letter per layer, b body, f frozen body, h head, n a head that starts anew. */
static const struct {
    const char *network, *list, *parts;
    bool paths;
    const char *expected; /* or a part of the message */
} head_cases[] = {
    {named, "a a/k 2 3 a/b 3|b b/k 3 4 b/b 4", "bbh", false, "0 1 2 3"}, /* kept */
    {named, "a a/k 2 3 a/b 3|b b/k 3 4 b/b 4", "bbn", false, "0 1 - -"},
    {named, "a a/k 2 3 a/b 3|b b/k 3 5 b/b 5", "bbh", false, "0 1 - -"}, /* of other classes */
    {named, "a a/k 2 3 a/b 3", "bbh", false, "0 1 - -"},                 /* saved without */
    {named, "x x/k 2 3 x/b 3|y y/k 3 5 y/b 5", "bbh", false, "0 1 - -"},
    {named, "a a/k 2 5 a/b 5|b b/k 3 4 b/b 4", "bbh", false, "a/k has the shape 2x5"}, /* the body has to fit */
    {named, "b b/k 3 4 b/b 4", "bbn", false, "no weights for layer a"},
    {automatic, "dense_7 a/k 2 3 a/b 3|dense_8 b/k 3 3 b/b 3|dense_9 c/k 3 9 c/b 9", "bbbh", false, "0 1 2 3 - -"},
    {automatic, "dense_7 a/k 2 3 a/b 3|dense_8 b/k 3 3 b/b 3", "bbbn", false, "0 1 2 3 - -"},
    {automatic, "dense a/k 2 3 a/b 3|dense_1 b/k 3 7 b/b 7|dense_2 c/k 3 3 c/b 3", "bbnb", false, "0 1 - - 4 5"},
    {automatic, "dense_4 a/k 2 3 a/b 3|dense_5 b/k 3 7 b/b 7|dense_6 c/k 3 3 c/b 3", "bbnb", false, "0 1 - - 4 5"},
    {nested, "base a/k 2 3 a/b 3 n/g 3 n/b 3 n/m 3 n/v 3|b b/k 3 9 b/b 9", "bbbh", false, "0 1 2 3 4 5 - -"},
    {nested, "base a/k 2 3 a/b 3 n/g 3 n/b 3 n/m 3 n/v 3|b b/k 3 4 b/b 4", "bfbb", false, "0 1 2 3 4 5 6 7"},
    {nested, "base a/k 2 3 a/b 3 n/g 3 n/b 3 n/m 3 n/v 3|b b/k 3 4 b/b 4", "bbfb", false, "0 1 2 3 4 5 6 7"},
    {named, "dense_1 w 3 9 w 9|dense w 2 3 w 3", "bbh", true, "2 3 - -"},
};

static void heads(void **state) {
    (void)state;
    static List list;
    for (size_t i = 0; i < sizeof head_cases / sizeof *head_cases; i++) {
        Network net;
        Matches matches;
        MatchPart parts[8] = {MATCH_BODY};
        char text[200] = "";
        const char *letters = head_cases[i].parts;
        open_parts(head_cases[i].network, letters, &net);
        assert_int_equal(strlen(letters), net.model->layer_count);
        for (size_t l = 0; letters[l]; l++)
            parts[l] = letters[l] == 'h' ? MATCH_HEAD : letters[l] == 'n' ? MATCH_NEW : MATCH_BODY;
        make_list(head_cases[i].list, head_cases[i].paths ? CHECKPOINT_CLASS_PATHS : CHECKPOINT_LAYER_NAMES, &list);
        Status status =
            match_weights(net.model, net.graph, &list.checkpoint, "file", (MatchOptions){.parts = parts}, &matches);
        if (status == STATUS_OK)
            describe(&matches, text, sizeof text);
        if (strstr(status == STATUS_OK ? text : status_message(), head_cases[i].expected) == NULL)
            fail_msg("%s, %s: \"%s\", expected \"%s\"", head_cases[i].list, letters,
                     status == STATUS_OK ? text : status_message(), head_cases[i].expected);
        match_free(&matches);
        close_network(&net);
    }
}

static void every_failing_allocation_is_survived(void **state) {
    (void)state;
    static List list;
    Network net;
    Matches matches;
    open_network(nested, &net);
    make_list(cases[14].list, CHECKPOINT_LAYER_NAMES, &list);
    size_t before = memory_stats().live_count, n = 0;
    Status status = STATUS_FAILED;
    while (status != STATUS_OK) {
        memory_fail_at(++n);
        status = match_weights(net.model, net.graph, &list.checkpoint, "file", (MatchOptions){0}, &matches);
        memory_fail_at(0);
        if (status != STATUS_OK)
            assert_message("out of memory");
        match_free(&matches);
        assert_int_equal(memory_stats().live_count, before);
    }
    assert_true(n > 3);
    close_network(&net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(files_of_nested_networks, nothing_left),
        cmocka_unit_test_teardown(lists, nothing_left),
        cmocka_unit_test_teardown(heads, nothing_left),
        cmocka_unit_test_teardown(every_failing_allocation_is_survived, nothing_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
