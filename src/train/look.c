/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "train/freeze.h"
#include "train/look_internal.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_MAPS = 64, TITLE = 320 };

/* ---- the example ------------------------------------------------------------------------------------------------- */

const char *look__class(const Look *look, size_t class, char text[SHEET_CAPTION]) {
    const char *name = trained_class_name(&look->trained, class);
    if (name)
        return name;
    snprintf(text, SHEET_CAPTION, "%zu", class);
    return text;
}

PictureCell look__cell(const Look *look) {
    return (PictureCell){.height = look->height, .width = look->width, .rgb = look->rgb, .caption = {look->label}};
}

/* All arrays of the example beside x: the network may read some of them. */
static Status read_labels(Look *look, uint64_t row) {
    const DatasetInfo *info = look->trained.setup.info;
    char text[SHEET_CAPTION];
    TRY(memory_new(&look->labels, info->label_count, "labels"));
    for (size_t k = 0; k < info->label_count; k++)
        TRY(memory_new(&look->labels[k], shape_count(&info->labels[k].shape), "labels"));
    TRY(dataset_read(look->trained.setup.data, look->trained.split, &row, 1, NULL, NULL, look->labels));
    if (info->label_count > 0 && info->labels[0].kind == LABEL_CLASS && info->labels[0].shape.rank == 0)
        snprintf(look->label, sizeof look->label, "%s", look__class(look, (size_t)look->labels[0][0], text));
    return STATUS_OK;
}

/* Example number `index` of the data's split. */
static Status read_of_data(Look *look, size_t index) {
    const Trained *t = &look->trained;
    const Setup *setup = &t->setup;
    uint64_t row = sampler_row(&t->view, index);
    snprintf(look->name, sizeof look->name, "%s example %zu", dataset_split_names[t->asked], index);
    TRY(dataset_read(setup->data, t->split, &row, 1, &setup->preprocess, look->x, NULL));
    if (setup->info->shape.rank == 3)
        TRY(inputs_dataset_picture(setup->data, t->split, row, &look->rgb, &look->height, &look->width));
    return read_labels(look, row);
}

/* Example number `index` of what was given in place of the data. */
static Status read_of_inputs(Look *look, uint64_t index) {
    const Trained *t = &look->trained;
    uint64_t row;
    bool bad = false;
    char text[SHEET_CAPTION];
    TRY(inputs_fit(look->inputs, &t->setup.preprocess));
    const char *path = inputs_item(look->inputs, index, &row)->path, *slash = strrchr(path, '/');
    snprintf(look->name, sizeof look->name, "%s", slash ? slash + 1 : path);
    TRY(inputs_read(look->inputs, &index, 1, &t->setup.preprocess, NULL, look->x, &bad));
    if (t->setup.info->shape.rank == 3)
        TRY(inputs_seen(look->inputs, index, LOOK_SIDE, &look->rgb, &look->height, &look->width));
    int64_t class = inputs_truth(look->inputs, index, t->class_names, t->class_count);
    if (class >= 0)
        snprintf(look->label, sizeof look->label, "%s", look__class(look, (size_t) class, text));
    return STATUS_OK;
}

static Status read_example(Look *look) {
    const Trained *t = &look->trained;
    size_t index = look->arguments->index;
    char whole[32] = "input";
    if (look->inputs == NULL)
        snprintf(whole, sizeof whole, "%s data", dataset_split_names[t->asked]);
    if (index >= t->view.count)
        return status_fail(STATUS_USAGE, "--index %zu: the %s has %llu examples, 0 to %llu", index, whole,
                           (unsigned long long)t->view.count, (unsigned long long)t->view.count - 1);
    snprintf(look->label, sizeof look->label, "input");
    TRY(memory_new(&look->x, shape_count(&t->setup.info->shape), "example"));
    return look->inputs ? read_of_inputs(look, index) : read_of_data(look, index);
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

/* The network's value at a node, for the example. */
static const Real *run_to(Look *look, int node) {
    const Trained *t = &look->trained;
    const Real *inputs[SETUP_MAX_INPUTS];
    LoaderBatch batch = {.n = 1, .x = look->x, .labels = look->labels};
    Plan *plan = replica_plan_part(t->replica, PASS_PREDICT, 1, (PlanPart){.to = node});
    setup_inputs(&t->setup, &batch, inputs);
    ExecutorRun run = {.inputs = inputs, .weights_version = 1};
    executor_forward(plan, &run);
    return executor_value(plan, &run, node);
}

Status look__choose_maps(const Look *look, int *node) {
    const Graph *graph = look->trained.setup.graph;
    const Model *model = look->trained.setup.model;
    const char *name = look->arguments->layer;
    int layer = name[0] ? model_find_layer(model, name) : -1;
    *node = layer >= 0 ? look->layer_nodes[layer] : -1;
    if (name[0] && layer < 0)
        return freeze_unknown(model, "layer", name);
    for (size_t l = 0; *node < 0 && l < model->layer_count; l++) {
        int end = look->layer_nodes[l], first = end;
        while (graph->nodes[first].op.inputs == 1 && graph->nodes[first].op.kind != OP_CONV2D &&
               strcmp(graph->nodes[graph->nodes[first].inputs[0]].layer, graph->nodes[end].layer) == 0)
            first = graph->nodes[first].inputs[0]; /* a layer's activation is a node of its own */
        if (graph->nodes[first].op.kind == OP_CONV2D && graph->nodes[end].op.y.rank == 3)
            *node = end;
    }
    return STATUS_OK;
}

static Status prepare(Look *look) {
    Trained *t = &look->trained;
    int maps;
    TRY(memory_new(&look->layer_nodes, t->setup.model->layer_count, "network"));
    TRY(setup_graph_to_predict(&t->setup, look->layer_nodes));
    TRY(look__choose_maps(look, &maps));
    TRY(replica_create(t->setup.graph, t->plan, &t->replica));
    TRY(replica_prepare_part(t->replica, PASS_PREDICT, 1, (PlanPart){.to = t->setup.graph->outputs[0].node}));
    if (maps > 0)
        TRY(replica_prepare_part(t->replica, PASS_PREDICT, 1, (PlanPart){.to = maps}));
    TRY(replica_ready(t->replica));
    return read_example(look);
}

/* The network, and the data or the inputs. */
static Status open_network(Dist *dist, Look *look) {
    const LookArguments *arguments = look->arguments;
    InputOptions how = {.split = (DatasetSplit)arguments->trained.split};
    if (arguments->inputs.count == 0)
        return trained_open(dist, &arguments->trained, &look->trained);
    TRY(inputs_open(dist, &arguments->inputs, &how, &look->inputs));
    return trained_open_bare(dist, &arguments->trained, look->inputs->count, &look->trained);
}

Status look_open(Dist *dist, const LookArguments *arguments, Look *out) {
    *out = (Look){.arguments = arguments};
    TRY(open_network(dist, out));
    TRY(dist_agree(dist, prepare(out)));
    TRY(trained_load(&out->trained));
    out->output = run_to(out, out->trained.setup.graph->outputs[0].node);
    return STATUS_OK;
}

void look_close(Look *look) {
    for (size_t k = 0; look->labels && k < look->trained.setup.info->label_count; k++)
        memory_free(look->labels[k]);
    memory_free(look->labels);
    trained_close(&look->trained);
    inputs_close(look->inputs);
    memory_free(look->layer_nodes);
    memory_free(look->x);
    memory_free(look->rgb);
    *look = (Look){.arguments = NULL};
}

/* ---- maps of a layer --------------------------------------------------------------------------------------------- */

/* Channel k of maps [places][channels] from black to white. */
static void draw_map(const Real *maps, size_t places, size_t channels, size_t k, uint8_t *rgb) {
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < places; i++) { /* without fmin and fmax, which GCC 12 cannot compile here for ARM */
        double value = (double)maps[i * channels + k];
        low = value < low ? value : low;
        high = value > high ? value : high;
    }
    for (size_t i = 0; i < places; i++) {
        double v = high > low ? ((double)maps[i * channels + k] - low) / (high - low) : 0;
        memset(rgb + 3 * i, (int)lrint(255 * v), 3);
    }
}

Status look_features(Look *look, PlotStyle style, unsigned char **bytes, size_t *size) {
    const Graph *graph = look->trained.setup.graph;
    PictureCell cells[MAX_MAPS + 1];
    char captions[MAX_MAPS][16], title[TITLE];
    uint8_t *rgb;
    int node = -1;
    *bytes = NULL;
    TRY(look__choose_maps(look, &node));
    if (node < 0)
        return status_fail(STATUS_USAGE, "the network has no convolution whose maps could be shown. Choose a --layer");
    if (node == 0 || graph->nodes[node].op.y.rank != 3)
        return status_fail(STATUS_USAGE, "layer %s has no maps [height, width, channels]. Choose another --layer",
                           node > 0 ? graph->nodes[node].layer : look->arguments->layer);
    const Shape *shape = &graph->nodes[node].op.y;
    size_t places = shape->dim[0] * shape->dim[1], channels = shape->dim[2];
    size_t count = channels < MAX_MAPS ? channels : MAX_MAPS;
    TRY(memory_new(&rgb, count * places * 3, "maps"));
    const Real *maps = run_to(look, node);
    cells[0] = look__cell(look);
    for (size_t k = 0; k < count; k++) {
        draw_map(maps, places, channels, k, rgb + k * places * 3);
        snprintf(captions[k], sizeof captions[k], "%zu", k);
        cells[k + 1] = (PictureCell){shape->dim[0], shape->dim[1], rgb + k * places * 3, {captions[k]}, PICTURE_BLACK};
    }
    snprintf(title, sizeof title, "Layer %.100s, %.80s: %s%zu maps of %zu x %zu", graph->nodes[node].layer, look->name,
             count < channels ? "the first 64 of " : "", channels, shape->dim[0], shape->dim[1]);
    Status status = picture_render(&(PictureSheet){.title = title, .cells = cells, .count = count + 1}, style.format,
                                   style.name, bytes, size);
    memory_free(rgb);
    return status;
}
