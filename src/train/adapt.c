/* SPDX-License-Identifier: Apache-2.0
 *
 * Fine-tuning: a network that was made for other data is made to fit those of the run. */
#include "base/log.h"
#include "base/memory.h"
#include "model/layers.h"
#include "model/model_edit.h"
#include "train/freeze.h"
#include "train/trainer_internal.h"
#include <string.h>

/* ---- heads ------------------------------------------------------------------------------------------------------- */

/* Do the losses that were asked for tell classes apart? */
static bool wants_classes(const Config *config) {
    return config->loss[0] == '\0' || strstr(config->loss, "auto") || strstr(config->loss, "crossentropy");
}

/* Do they make an embedding, of --classes numbers? */
static bool makes_embedding(const Config *config) {
    return strstr(config->loss, "triplet") || strstr(config->loss, "contrastive");
}

/* Whether the file's class names are known and others than those of the data, as far as both go. */
static Status has_other_names(const Trainer *t, bool *others) {
    const DatasetInfo *info = t->setup.info;
    Preprocess preprocess;
    char **names = NULL;
    size_t count = 0;
    *others = false;
    if (t->file_preprocess == NULL)
        return STATUS_OK;
    TRY(preprocess_from_json(t->file_preprocess, &preprocess, &names, &count));
    for (size_t i = 0; i < count && i < info->class_name_count; i++)
        *others |= strcmp(names[i], info->class_names[i]) != 0;
    memory_free(names);
    return STATUS_OK;
}

/* The shape of output number `output` for the data's images. */
static Status output_shape(const Trainer *t, size_t output, Shape *shape) {
    Graph *graph;
    TRY(graph_create(&graph));
    Status status = model_build(t->setup.model, &(ModelBuild){.open = &t->setup.info->shape}, graph);
    if (status == STATUS_OK)
        *shape = graph_shape(graph, graph->outputs[output].node);
    graph_destroy(graph);
    return status;
}

static Status add_head(Trainer *t, size_t output, size_t classes) {
    Model *model = t->setup.model;
    size_t before = model->layer_count;
    Shape features;
    char *last;
    TRY(output_shape(t, output, &features));
    TRY(memory_strdup(model->layers[model->outputs[output].layer].name, &last));
    Status status = model_head_add(model, output, &features, classes, t->config->head_dropout);
    t->new_heads |= (size_t)1 << output;
    if (status == STATUS_OK)
        log_info("head: put behind %s:", last);
    memory_free(last);
    for (size_t l = before; status == STATUS_OK && l < model->layer_count; l++)
        log_info(" %s,", model->layers[l].name);
    if (status == STATUS_OK)
        log_info(" %zu classes, softmax\n", classes);
    return status;
}

/* Keeps the head, or makes a new one. */
static Status adapt_head(Trainer *t, size_t output, ModelHead head, size_t classes) {
    Model *model = t->setup.model;
    const char *name = model->layers[head.layer].name, *class = model->layers[head.layer].class->name;
    bool others;
    TRY(has_other_names(t, &others));
    if (head.classes == classes && !others && !t->config->new_head)
        return STATUS_OK;
    t->new_heads |= (size_t)1 << output;
    log_info("head: %s (%s) starts anew: %zu -> %zu classes%s\n", name, class, head.classes, classes,
             head.classes != classes ? ""
             : others                ? ", with other names"
                                     : "");
    return model_head_resize(model, output, classes);
}

static Status adapt_output(Trainer *t, size_t output) {
    const Model *model = t->setup.model;
    const char *name = model->layers[model->outputs[output].layer].name;
    const DatasetLabel *label = setup_label(t->setup.info, name);
    size_t given = t->config->classes;
    if (label && given && given < label->classes && label->kind != LABEL_NUMBERS && !makes_embedding(t->config))
        return status_fail(STATUS_USAGE, "--classes %zu: %s has %zu classes", given, t->setup.info->path,
                           label->classes);
    if (label == NULL || label->kind == LABEL_NUMBERS)
        return STATUS_OK;
    size_t classes = given ? given : label->classes;
    ModelHead head = model_head(model, output);
    if (head.kind == HEAD_CLASSES && head.sigmoid && head.classes == 1 && classes <= 2)
        return STATUS_OK; /* one number tells two classes apart */
    if (head.kind == HEAD_CLASSES)
        return adapt_head(t, output, head, classes);
    if (head.kind == HEAD_FEATURES && label->kind == LABEL_CLASS && label->shape.rank > 0)
        return STATUS_OK; /* a class per pixel: this network is something else */
    if (head.kind == HEAD_FEATURES)
        return add_head(t, output, classes);
    Shape shape;
    TRY(output_shape(t, output, &shape));
    if (shape.rank > 0 && shape.dim[shape.rank - 1] == classes)
        return STATUS_OK;
    return status_fail(STATUS_USAGE,
                       "network %s tells %zu classes apart, the data have %zu, and before output %s there is no single "
                       "layer to replace: give a network for %zu classes with --model",
                       model->name, shape.rank ? shape.dim[shape.rank - 1] : 1, classes, name, classes);
}

/* Which layers are heads, for the matching of weights. */
static Status mark_parts(Trainer *t) {
    const Model *model = t->setup.model;
    bool *part;
    TRY(memory_new(&t->parts, model->layer_count, "network"));
    TRY(memory_new(&part, model->layer_count, "network"));
    for (size_t i = 0; i < model->output_count; i++) {
        if (model_head(model, i).kind != HEAD_CLASSES)
            continue;
        memset(part, 0, model->layer_count * sizeof *part);
        model_head_layers(model, i, part);
        for (size_t l = 0; l < model->layer_count; l++)
            if (part[l] && t->parts[l] != MATCH_NEW)
                t->parts[l] = t->new_heads >> i & 1 ? MATCH_NEW : MATCH_HEAD;
    }
    memory_free(part);
    return STATUS_OK;
}

static Status adapt_heads(Trainer *t) {
    const Config *config = t->config;
    size_t before = t->setup.model->layer_count;
    bool wanted = wants_classes(config) || (makes_embedding(config) && config->classes > 0);
    if (!wanted || (config->init_from[0] == '\0' && config->classes == 0))
        return STATUS_OK;
    for (size_t i = 0; i < t->setup.model->output_count && i < STATE_MAX_LOSSES; i++)
        TRY(adapt_output(t, i));
    if (config->head_dropout > 0 && t->setup.model->layer_count == before)
        return status_fail(STATUS_USAGE, "--head-dropout is for networks without a head, but %s has one",
                           t->setup.model->name);
    return STATUS_OK;
}

Status trainer__adapt_model(Trainer *t) {
    const Config *config = t->config;
    Model *model = t->setup.model;
    char shape[SHAPE_TEXT];
    Shape before;
    bool changed;
    if (config->init_from[0] && model_set_input(model, &t->setup.info->shape, &before)) {
        shape_format(&before, t->made_for);
        log_info("input: the network takes %s now, as the data are\n", shape_format(&t->setup.info->shape, shape));
    }
    TRY(adapt_heads(t));
    if (config_given(config, "dropout") && model_set_dropout(model, config->dropout) == 0)
        return status_fail(STATUS_USAGE, "--dropout: network %s has no Dropout layer", model->name);
    if (config_given(config, "batch-norm-momentum") && model_set_momentum(model, config->batch_norm_momentum) == 0)
        return status_fail(STATUS_USAGE, "--batch-norm-momentum: network %s has no BatchNormalization layer",
                           model->name);
    TRY(freeze_layers(model, config->freeze, config->freeze_until));
    if (!t->resuming) {
        TRY(freeze_check(model, config->unfreeze, config->epochs));
        if ((config->freeze[0] || config->freeze_until[0]) && config->init_from[0] == '\0')
            log_info("frozen layers keep their random weights of the start: there is no --init-from\n");
    }
    TRY(freeze_thaw(model, config->unfreeze, 1, &changed));
    return mark_parts(t);
}

/* ---- preprocessing ----------------------------------------------------------------------------------------------- */

Status trainer__preprocess(Trainer *t) {
    const Config *config = t->config;
    bool given = config_given(config, "preprocess"), from_file = !given && t->file_preprocess;
    const char *name = config->preprocess;
    Preprocess file;
    char **names;
    size_t count;
    if (from_file) {
        TRY(preprocess_from_json(t->file_preprocess, &file, &names, &count));
        memory_free(names);
        name = preprocess_names[file.mode]; /* not kept as an option: that would be "made from these data" */
        if (!t->resuming)
            log_info("preprocess %s: as in %s\n", name, config->init_from);
    }
    TRY(setup_preprocess(&t->setup, name, from_file || t->resuming ? t->file_preprocess : NULL));
    if (name[0] == '\0' && setup_scales_input(&t->setup))
        log_info("preprocess none: network %s scales its input itself\n", t->setup.model->name);
    if (!given && !from_file && config->init_from[0] && t->setup.preprocess.mode == PREPROCESS_UNIT)
        log_info("preprocess unit: %s does not say how its pixels went in; --preprocess does\n", config->init_from);
    return STATUS_OK;
}
