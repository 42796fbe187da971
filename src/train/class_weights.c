/* SPDX-License-Identifier: Apache-2.0 */
#include "train/class_weights.h"
#include "base/memory.h"
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The class of example `row` by the label array `values`: its number, or the place of its 1. */
static size_t class_of(const DatasetLabel *label, const Real *values, uint64_t row) {
    size_t class = 0;
    if (label->kind == LABEL_CLASS)
        return (size_t)values[row];
    while (class + 1 < label->classes && values[row * label->classes + class] != 1)
        class ++;
    return class;
}

static Status balance(Dataset *dataset, const SamplerView *view, double *weights) {
    const DatasetLabel *label = &dataset_info(dataset)->labels[0];
    Real *values;
    TRY(dataset_read_labels(dataset, DATASET_TRAIN, 0, &values));
    for (size_t c = 0; c < label->classes; c++)
        weights[c] = 0;
    for (uint64_t i = 0; i < view->count; i++)
        weights[class_of(label, values, sampler_row(view, i))]++;
    for (size_t c = 0; c < label->classes; c++)
        if (weights[c] > 0)
            weights[c] = (double)view->count / ((double)label->classes * weights[c]);
    memory_free(values);
    return STATUS_OK;
}

/* The class of that name or number; `classes` if there is none. */
static size_t find_class(const DatasetInfo *info, const char *text) {
    size_t classes = info->labels[0].classes;
    char *end;
    for (size_t c = 0; c < info->class_name_count && c < classes; c++)
        if (strcmp(info->class_names[c], text) == 0)
            return c;
    unsigned long long number = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && number < classes ? (size_t)number : classes;
}

static Status set_weight(const DatasetInfo *info, const char *class, double weight, double *weights) {
    size_t c = find_class(info, class);
    if (c == info->labels[0].classes)
        return status_fail(STATUS_USAGE, "--class-weights: %s has no class %.60s; it has %zu", info->path, class, c);
    if (!isfinite(weight) || weight < 0)
        return status_fail(STATUS_USAGE, "--class-weights: the weight of class %.60s is no number of at least 0",
                           class);
    weights[c] = weight;
    return STATUS_OK;
}

/* Class names may hold an '=': the last one counts. */
static Status read_list(const DatasetInfo *info, char *list, double *weights) {
    for (char *word, *rest = list; (word = strsep(&rest, ","));) {
        char *equals = strrchr(word, '='), *end = NULL;
        double weight = equals ? strtod(equals + 1, &end) : 0;
        if (!equals || end == equals + 1 || *end)
            return status_fail(STATUS_USAGE,
                               "--class-weights: \"%.60s\" is not CLASS=WEIGHT; known are also balanced and a file "
                               "that ends in .json",
                               word);
        *equals = '\0';
        TRY(set_weight(info, word, weight, weights));
    }
    return STATUS_OK;
}

static Status read_file(const DatasetInfo *info, const char *path, double *weights) {
    json_error_t error;
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &error), *value;
    const char *class;
    Status status = STATUS_OK;
    if (!json_is_object(root))
        status = status_fail(STATUS_USAGE, "--class-weights %s: %s", path,
                             root ? "not a JSON object {\"CLASS\": WEIGHT, ...}" : error.text);
    json_object_foreach(root, class, value) {
        if (status == STATUS_OK)
            status = set_weight(info, class, json_is_number(value) ? json_number_value(value) : NAN, weights);
    }
    json_decref(root);
    return status;
}

static bool is_json_name(const char *text) {
    size_t length = strlen(text);
    return length > 5 && strcmp(text + length - 5, ".json") == 0;
}

Status class_weights_set(Setup *setup, const Config *config, const SamplerView *view) {
    const char *text = config->class_weights;
    const DatasetInfo *info = setup->info;
    const DatasetLabel *label = &info->labels[0]; /* there is one: the loss reads it */
    char list[CLI_TEXT], path[CONFIG_PATH];
    if (text[0] == '\0')
        return STATUS_OK;
    if (setup->graph->loss_count != 1)
        return status_fail(STATUS_USAGE, "--class-weights is for networks with one output; %s has %zu",
                           setup->model->name, setup->graph->loss_count);
    if (label->kind != LABEL_ONE_HOT && (label->kind != LABEL_CLASS || label->shape.rank > 0))
        return status_fail(STATUS_USAGE, "--class-weights: the examples of %s have not one class each", info->path);
    TRY(memory_new(&setup->class_weights, label->classes, "class weights"));
    setup->targets.class_weights = setup->class_weights;
    for (size_t c = 0; c < label->classes; c++)
        setup->class_weights[c] = 1;
    if (strcmp(text, "balanced") == 0)
        return balance(setup->data, view, setup->class_weights);
    if (is_json_name(text))
        return read_file(info, config_path(config, "class-weights", path), setup->class_weights);
    snprintf(list, sizeof list, "%s", text);
    return read_list(info, list, setup->class_weights);
}
