/* SPDX-License-Identifier: Apache-2.0 */
#include "train/setup.h"
#include "base/memory.h"
#include "data/folder.h"
#include "data/pictures.h"
#include "model/layers.h"
#include "model/model_edit.h"
#include "model/zoo/zoo.h"
#include "train/vocabulary.h"
#include <errno.h>
#include <math.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

void setup_close(Setup *setup) {
    metrics_destroy(setup->metrics);
    graph_destroy(setup->graph);
    model_destroy(setup->model);
    memory_free(setup->class_weights);
    memory_free(setup->preprocess_json);
    dataset_close(setup->data);
}

/* ---- data -------------------------------------------------------------------------------------------------------- */

/* Cores that this rank may use beside the one that computes and the one that reads: those of its part of the node. */
static size_t free_cores(const Dist *dist) {
    cpu_set_t usable;
    long cores = sysconf(_SC_NPROCESSORS_ONLN) / dist_local_ranks(dist);
    if (sched_getaffinity(0, sizeof usable, &usable) == 0 && CPU_COUNT(&usable) < cores)
        cores = CPU_COUNT(&usable);
    return cores > 2 ? (size_t)cores - 2 : 0;
}

static Status open_data(Setup *setup, const char *path, const DatasetOptions *options) {
    char *found = NULL;
    if (path[0] == '\0')
        TRY(dataset_find_default(&found));
    else if (access(path, R_OK) != 0)
        return status_fail(
            STATUS_FAILED, "cannot open %s: %s. Check --data%s.", path, strerror(errno),
            path[0] == '/' ? ""
                           : " (names count from the current folder, those of a run's data also from where it began)");
    Status status = dataset_open_with(found ? found : path, options, &setup->data);
    memory_free(found);
    TRY(status);
    setup->info = dataset_info(setup->data);
    return setup->info->is_encoded ? dataset_set_decoders(setup->data, free_cores(setup->dist)) : STATUS_OK;
}

Status setup_data(Setup *setup, const char *path, const DatasetOptions *options) {
    TRY(dist_agree(setup->dist, open_data(setup, path, options)));
    char first[sizeof setup->info->fingerprint];
    memcpy(first, setup->info->fingerprint, sizeof first);
    dist_broadcast(setup->dist, first, sizeof first);
    Status status = STATUS_OK;
    if (strcmp(first, setup->info->fingerprint) != 0)
        status = status_fail(STATUS_FAILED, "%s holds other data here than on rank 0. Copy the same file to all nodes.",
                             setup->info->path);
    return dist_agree(setup->dist, status);
}

static Status read_options(const Config *config, DatasetOptions *options, char ***names) {
    PictureRule said;
    TRY(picture_rule_parse(config->size, config->resize, config->channels, &said));
    picture_rule_prefer(&said, &options->rule);
    char path[CONFIG_PATH];
    if (config->classes_file[0])
        TRY(folder_read_classes(config_path(config, "classes-file", path), names, &options->class_count));
    options->class_names = *names;
    return STATUS_OK;
}

Status setup_run_data(Setup *setup, const Config *config, const DatasetOptions *network) {
    DatasetOptions options = {.rule.fit = IMAGE_FITS}; /* a dataset file has its own size */
    char path[CONFIG_PATH];
    const char *data = config_path(config, "data", path);
    if (folder_is_source(data))
        options = *network;
    char **names = NULL;
    Status status = dist_agree(setup->dist, read_options(config, &options, &names));
    if (status == STATUS_OK)
        status = setup_data(setup, data, &options);
    memory_free(names);
    TRY(status);
    const char *given = config->size[0]           ? "size"
                        : config->resize[0]       ? "resize"
                        : config->channels        ? "channels"
                        : config->classes_file[0] ? "classes-file"
                                                  : NULL;
    if (given && !setup->info->is_encoded)
        status = status_fail(STATUS_USAGE, "--%s is for folders of pictures; the examples of %s are made", given,
                             setup->info->path);
    return dist_agree(setup->dist, status);
}

/* ---- network ----------------------------------------------------------------------------------------------------- */

static Status make_model(Setup *setup, const char *text, const char *source) {
    if (text)
        return model_parse(text, source, &setup->model);
    const DatasetInfo *info = setup->info;
    LabelKind kind = info->label_count > 0 ? info->labels[0].kind : LABEL_WEIGHT;
    size_t classes = setup->classes;
    if (classes == 0 && kind != LABEL_WEIGHT && (kind == LABEL_CLASS || info->labels[0].shape.rank == 1))
        classes = info->labels[0].classes;
    if (classes == 0)
        return status_fail(STATUS_USAGE,
                           "%s has no class labels, so network %s does not know how many classes to tell apart. Give "
                           "--classes, or the network as a .json file.",
                           info->path, source);
    ZooOptions options = {.stochastic_depth = setup->stochastic_depth,
                          .vocabulary = (size_t)fmin(info->value_max, LAYER_MAX_EXTENT - 1) + 1};
    TRY(zoo_create_with(source, info->shape, classes, &options, &setup->model));
    for (size_t i = 0; i < setup->model->output_count; i++)
        if (kind == LABEL_MULTI_HOT || kind == LABEL_NUMBERS)
            model_replace_softmax(setup->model, i, kind == LABEL_NUMBERS ? "linear" : "sigmoid");
    return STATUS_OK;
}

Status setup_model(Setup *setup, const char *text, const char *source) {
    return dist_agree(setup->dist, make_model(setup, text, source));
}

/* The layer whose output `layer` reads first; layers that change no range of values are passed over. */
static size_t source_of(const Model *model, const ModelLayer *layer) {
    size_t source = layer->calls[0].inputs[0].layer;
    while ((layer_is_augmentation(model->layers[source].class) ||
            strcmp(model->layers[source].class->name, "Resizing") == 0) &&
           model->layers[source].call_count > 0)
        source = model->layers[source].calls[0].inputs[0].layer;
    return source;
}

const ModelLayer *setup_begins_with(const Setup *setup, const char *class) {
    const Model *model = setup->model;
    for (size_t l = 0; l < model->layer_count; l++) {
        const ModelLayer *layer = &model->layers[l];
        for (size_t i = 0; strcmp(layer->class->name, class) == 0 && i < model->input_count; i++)
            if (layer->call_count > 0 && source_of(model, layer) == model->inputs[i].layer)
                return layer;
    }
    return NULL;
}

bool setup_scales_input(const Setup *setup) {
    return setup->info->is_uint8 &&
           (setup_begins_with(setup, "Rescaling") || setup_begins_with(setup, "Normalization"));
}

/* Mean and deviation as the record has them. */
static Status take_record(Setup *setup, const char *record, bool *taken) {
    const Shape *shape = &setup->info->shape;
    char **names;
    size_t count;
    Preprocess found;
    TRY(preprocess_from_json(record, &found, &names, &count));
    memory_free(names);
    *taken = found.mode == PREPROCESS_DATASET && shape->rank > 0 &&
             (found.channels == 1 || found.channels == shape->dim[shape->rank - 1]);
    if (*taken)
        setup->preprocess = found;
    setup->preprocess.shape = *shape;
    return STATUS_OK;
}

Status setup_preprocess(Setup *setup, const char *name, const char *record) {
    bool taken = false;
    if (name[0] != '\0' && strcmp(name, preprocess_names[PREPROCESS_NONE]) != 0)
        TRY(vocabulary_refuse(setup->model, "--preprocess"));
    if (record && strcmp(name, preprocess_names[PREPROCESS_DATASET]) == 0)
        TRY(take_record(setup, record, &taken));
    if (taken)
        return STATUS_OK;
    if (name[0] == '\0' && (setup_scales_input(setup) || vocabulary_is_read(setup->model)))
        name = preprocess_names[PREPROCESS_NONE];
    return setup->data ? preprocess_create(setup->data, name, &setup->preprocess)
                       : preprocess_create_for(setup->info, name, &setup->preprocess);
}

const DatasetLabel *setup_label(const DatasetInfo *info, const char *output) {
    for (size_t i = 0; i < info->label_count; i++)
        if (strcmp(info->labels[i].name, output) == 0)
            return &info->labels[i];
    return info->label_count && info->labels[0].kind != LABEL_WEIGHT ? &info->labels[0] : NULL;
}

static Status choose_losses(Setup *setup, const Config *config, ModelLoss *losses) {
    const Model *model = setup->model;
    if (model->output_count > STATE_MAX_LOSSES)
        return status_fail(STATUS_FAILED, "network %s has %zu outputs; at most %d can be trained", model->name,
                           model->output_count, STATE_MAX_LOSSES);
    const char *names[STATE_MAX_LOSSES];
    int kinds[STATE_MAX_LOSSES];
    for (size_t i = 0; i < model->output_count; i++)
        names[i] = model->layers[model->outputs[i].layer].name;
    TRY(config_losses(config, names, model->output_count, kinds, setup->loss_weights));
    for (size_t i = 0; i < model->output_count; i++) {
        const DatasetLabel *label = setup_label(setup->info, names[i]);
        if (label == NULL)
            return status_fail(STATUS_FAILED, "%s has no labels to train or test with", setup->info->path);
        losses[i] = (ModelLoss){.output = names[i],
                                .kind = kinds[i],
                                .weight = setup->loss_weights[i],
                                .label_smoothing = config->label_smoothing,
                                .delta = config->huber_delta,
                                .focal_gamma = config->focal_gamma,
                                .focal_alpha = config->focal_alpha,
                                .margin = config->margin,
                                .soft = mix_is_on(&setup->targets.mix) && label->kind == LABEL_CLASS,
                                .label = &label->shape};
    }
    return STATUS_OK;
}

/* Does the loss read this array's class numbers as probabilities? */
static bool is_made_soft(const Setup *setup, const Node *loss, const DatasetLabel *label) {
    return mix_is_on(&setup->targets.mix) && label->kind == LABEL_CLASS && loss->op.attr.loss.kind == LOSS_CROSSENTROPY;
}

/* A label array for a loss: same extent, and class numbers within the prediction. */
static Status check_label(const Setup *setup, const Node *loss, const DatasetLabel *label) {
    char have[SHAPE_TEXT], want[SHAPE_TEXT];
    const Shape *prediction = &loss->op.x[0], *wanted = &loss->op.x[1];
    bool soft = is_made_soft(setup, loss, label), sparse = loss->op.attr.loss.kind == LOSS_SPARSE_CROSSENTROPY || soft;
    size_t classes = prediction->rank ? prediction->dim[prediction->rank - 1] : 1;
    if (shape_count(&label->shape) * (soft ? classes : 1) != shape_count(wanted))
        return status_fail(STATUS_FAILED,
                           "%s: labels %s of an example have the shape %s; the loss %s of the network needs %s%s",
                           setup->info->path, label->name, shape_format(&label->shape, have),
                           model_loss_name(loss->op.attr.loss.kind), shape_format(wanted, want),
                           label->kind == LABEL_CLASS && !sparse && !loss_is_of_pairs(loss->op.attr.loss.kind)
                               ? ". For class numbers: --loss sparse_categorical_crossentropy"
                               : "");
    if ((sparse || loss_is_of_pairs(loss->op.attr.loss.kind)) && label->kind != LABEL_CLASS)
        return status_fail(STATUS_FAILED,
                           "%s: labels %s are not class numbers, which are integers and which the loss %s needs",
                           setup->info->path, label->name, model_loss_name(loss->op.attr.loss.kind));
    if (sparse && label->classes > classes)
        return status_fail(STATUS_FAILED, "%s has %zu classes (%s), but the network tells %zu apart", setup->info->path,
                           label->classes, label->name, classes);
    return STATUS_OK;
}

/* The loss that reads graph input `node` as its label, or NULL. */
static const Node *loss_of_label(const Graph *graph, int node) {
    for (size_t k = 0; k < graph->loss_count; k++)
        if (graph->nodes[graph->losses[k]].inputs[1] == node)
            return &graph->nodes[graph->losses[k]];
    return NULL;
}

/* Whether graph input `node` is the weights that the losses read. */
static bool is_weights(const Graph *graph, int node) {
    const Node *loss = graph->loss_count > 0 ? &graph->nodes[graph->losses[0]] : NULL;
    return loss && loss->op.inputs == 3 && loss->inputs[2] == node;
}

/* Is it what the network takes, but for the place of the channels? */
static bool channels_first(const Shape *found, const Shape *wanted) {
    return found->rank == 3 && wanted->rank == 3 && found->dim[0] == wanted->dim[2] &&
           found->dim[1] == wanted->dim[0] && found->dim[2] == wanted->dim[1];
}

/* An input of the network: "x" is the dataset's x; others are its arrays of the same name. */
static Status connect_data(const Setup *setup, size_t input, int *source) {
    const DatasetInfo *info = setup->info;
    const char *name = setup->graph->input_names[input];
    char have[SHAPE_TEXT], want[SHAPE_TEXT];
    Shape shape = graph_shape(setup->graph, setup->graph->inputs[input]), fitted;
    const Shape *found = strcmp(name, "x") == 0 ? &info->shape : NULL;
    *source = SETUP_EXAMPLES;
    for (size_t i = 0; found == NULL && i < info->label_count; i++)
        if (strcmp(info->labels[i].name, name) == 0) {
            *source = (int)i;
            found = &info->labels[i].shape;
        }
    if (found == NULL)
        return status_fail(STATUS_FAILED,
                           "%s has no array for input %s of network %s. Name the inputs like the arrays, the "
                           "images \"x\".",
                           info->path, name, setup->model->name);
    bool same = shape_to_rank(found, shape.rank, &fitted) && shape_equal(&shape, &fitted);
    if (*source < 0 ? !same : shape_count(&shape) != shape_count(found))
        return status_fail(
            STATUS_FAILED, "%s has examples of %s, network %s takes %s (%s). %s.", info->path,
            shape_format(found, have), setup->model->name, shape_format(&shape, want), name,
            channels_first(found, &shape)
                ? "Its channels come first: write x as [n, height, width, channels] (NumPy: x.transpose(0, 2, 3, 1))"
                : "Import the data at that size, or put a Resizing layer in front");
    return STATUS_OK;
}

/* Whether label array `label`, which `loss` reads, is given as probabilities. */
static Status choose_target(Setup *setup, const Node *loss, const DatasetLabel *label) {
    size_t number = (size_t)(label - setup->info->labels), *one_hot = setup->targets.one_hot;
    const Shape *prediction = &loss->op.x[0];
    if (!is_made_soft(setup, loss, label))
        return STATUS_OK;
    if (number >= TARGETS_LABELS || label->shape.rank > 0)
        return status_fail(STATUS_FAILED, "%s: --mixup and --cutmix need one label for each example, %s has more",
                           setup->info->path, label->name);
    if (one_hot[number] && one_hot[number] != prediction->dim[0])
        return status_fail(STATUS_FAILED, "--mixup, --cutmix: outputs of %zu and %zu classes read labels %s",
                           one_hot[number], prediction->dim[0], label->name);
    one_hot[number] = prediction->dim[0];
    return STATUS_OK;
}

static Status connect_inputs(Setup *setup) {
    const Graph *graph = setup->graph;
    if (graph->input_count > SETUP_MAX_INPUTS)
        return status_fail(STATUS_FAILED, "the network has %zu inputs and labels; at most %d are supported",
                           graph->input_count, SETUP_MAX_INPUTS);
    for (size_t i = 0; i < graph->input_count; i++) {
        const Node *loss = loss_of_label(graph, graph->inputs[i]);
        if (loss && loss_is_of_pairs(loss->op.attr.loss.kind) && mix_is_on(&setup->targets.mix))
            return status_fail(STATUS_USAGE,
                               "--mixup and --cutmix cannot be used with the loss %s: a mixed example has "
                               "no class",
                               model_loss_name(loss->op.attr.loss.kind));
        if (is_weights(graph, graph->inputs[i])) {
            setup->input_source[i] = SETUP_WEIGHTS;
        } else if (loss == NULL) {
            TRY(connect_data(setup, i, &setup->input_source[i]));
            if (setup->input_source[i] == SETUP_EXAMPLES && dist_rank(setup->dist) == 0)
                TRY(vocabulary_check(setup, graph->inputs[i]));
        } else {
            const DatasetLabel *label = setup_label(setup->info, graph->input_names[i]);
            TRY(check_label(setup, loss, label));
            setup->input_source[i] = (int)(label - setup->info->labels);
            TRY(choose_target(setup, loss, label));
        }
    }
    return STATUS_OK;
}

/* setup->graph = the network of setup->model, not finished. */
static Status fill_graph(Setup *setup, const ModelBuild *options) {
    char shape[SHAPE_TEXT];
    TRY(graph_create(&setup->graph));
    Status status = model_build(setup->model, options, setup->graph);
    return status == STATUS_OK ? status
                               : status_context(status, "network %s, data of %s", setup->model->name,
                                                shape_format(&setup->info->shape, shape));
}

Status setup_graph_to_predict(Setup *setup, int *layer_nodes) {
    TRY(fill_graph(setup, &(ModelBuild){.layer_nodes = layer_nodes, .open = &setup->info->shape}));
    TRY(graph_finish(setup->graph));
    return connect_inputs(setup);
}

static Status start_targets(Setup *setup, const Config *config) {
    const DatasetInfo *info = setup->info;
    setup->targets = (Targets){
        .weighted = dataset_weights(info) >= 0 || config->class_weights[0],
        .class_weights = setup->class_weights,
        .mix = {config->mixup, config->cutmix, config->mixup_prob, config->seed},
    };
    if (mix_is_on(&setup->targets.mix) && setup->model->input_count != 1)
        return status_fail(STATUS_FAILED, "--mixup and --cutmix need a network with one input; %s has %zu",
                           setup->model->name, setup->model->input_count);
    if (mix_is_on(&setup->targets.mix))
        TRY(vocabulary_refuse(setup->model, config->cutmix > 0 ? "--cutmix" : "--mixup"));
    if (config->cutmix > 0 && info->shape.rank != 3)
        return status_fail(STATUS_FAILED, "%s: --cutmix needs images", info->path);
    return STATUS_OK;
}

Status setup_build_graph(Setup *setup, const Config *config) {
    ModelLoss losses[STATE_MAX_LOSSES];
    TRY(start_targets(setup, config));
    TRY(choose_losses(setup, config, losses));
    for (size_t i = 0; i < setup->model->output_count; i++) /* an embedding ends in numbers of any size */
        if (losses[i].kind != MODEL_LOSS_AUTO && loss_is_of_pairs((LossKind)losses[i].kind))
            model_replace_softmax(setup->model, i, "linear");
    ModelBuild options = {.losses = losses,
                          .loss_count = setup->model->output_count,
                          .weighted = setup->targets.weighted,
                          .open = &setup->info->shape};
    TRY(fill_graph(setup, &options));
    TRY(graph_finish(setup->graph));
    setup->metric_list = config->metrics;
    if (setup->metrics == NULL)
        TRY(metrics_create(config->metrics, setup->graph, false, 0, &setup->metrics));
    return connect_inputs(setup);
}

Status setup_graph(Setup *setup, const Config *config) {
    return dist_agree(setup->dist, setup_build_graph(setup, config));
}

void setup_inputs(const Setup *setup, const LoaderBatch *batch, const Real *inputs[SETUP_MAX_INPUTS]) {
    for (size_t i = 0; i < setup->graph->input_count; i++)
        switch (setup->input_source[i]) {
        case SETUP_EXAMPLES:
            inputs[i] = batch->x;
            break;
        case SETUP_WEIGHTS:
            inputs[i] = batch->weights;
            break;
        default:
            inputs[i] = batch->labels[setup->input_source[i]];
        }
}
