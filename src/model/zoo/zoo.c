/* SPDX-License-Identifier: Apache-2.0 */
#include "model/zoo/zoo.h"
#include "base/memory.h"
#include "model/zoo/net.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const ZooEntry *zoo_find(const char *name) {
    for (size_t i = 0; i < zoo_count; i++)
        if (strcmp(zoo_entries[i].name, name) == 0)
            return &zoo_entries[i];
    return NULL;
}

static Status unknown(const char *name) {
    Status status = status_fail(STATUS_USAGE, "unknown network \"%.80s\". Known:", name);
    for (size_t i = 0; i < zoo_count; i++)
        status = status_fail(status, "%s %s", status_message(), zoo_entries[i].name);
    return status_fail(status, "%s. A Keras file, .json or .h5, can be given too.", status_message());
}

static Status check_size(const ZooEntry *entry, const Shape *input, size_t classes) {
    char text[SHAPE_TEXT];
    if (input->rank != 3)
        return status_fail(STATUS_USAGE,
                           "network %s takes images, height x width x channels; an example is %s. For those, --model "
                           "takes a Keras file",
                           entry->name, shape_format(input, text));
    if (input->dim[0] < entry->smallest || input->dim[1] < entry->smallest)
        return status_fail(
            STATUS_USAGE,
            "network %s takes images of at least %zux%zu; these are %s. Import them at a larger size, or "
            "choose a network for small images (cnn_train --list-models)",
            entry->name, entry->smallest, entry->smallest, shape_format(input, text));
    if (input->dim[2] < 1 || classes < 1)
        return status_fail(STATUS_USAGE, "network %s needs at least one channel and one class", entry->name);
    return STATUS_OK;
}

/* The network's JSON: the first layer is the input, the last the output where none is named. */
static char *net_text(const char *name, ZooNet *net) {
    const json_t *first = json_array_get(net->layers, 0);
    const json_t *last = json_array_get(net->layers, json_array_size(net->layers) - 1);
    if (json_array_size(net->outputs) == 0)
        zoo_output(net, json_string_value(json_object_get(last, "name")));
    json_t *root =
        json_pack("{s:s,s:{s:s,s:O,s:[[O,i,i]],s:O}}", "class_name", "Functional", "config", "name", name, "layers",
                  net->layers, "input_layers", json_object_get(first, "name"), 0, 0, "output_layers", net->outputs);
    char *text = net->failed ? NULL : json_dumps(root, 0);
    json_decref(root);
    return text;
}

/* The linear rule. */
static void set_drop_rates(const ZooNet *net) {
    json_t *layer;
    size_t l;
    json_array_foreach(net->drops, l, layer)
        json_object_set_new(json_object_get(layer, "config"), "rate",
                            json_real(net->stochastic_depth * (double)(l + 1) / (double)json_array_size(net->drops)));
}

Status zoo_create(const char *name, Shape input, size_t classes, Model **out) {
    return zoo_create_with(name, input, classes, -1, out);
}

Status zoo_create_with(const char *name, Shape input, size_t classes, double stochastic_depth, Model **out) {
    const ZooEntry *entry = zoo_find(name);
    *out = NULL;
    if (entry == NULL)
        return unknown(name);
    TRY(check_size(entry, &input, classes));
    ZooNet net = {.input = input,
                  .stochastic_depth = stochastic_depth,
                  .drops = json_array(),
                  .classes = classes,
                  .l2 = entry->recipe->l2,
                  .layers = json_array(),
                  .outputs = json_array(),
                  .names = json_array()};
    entry->build(&net, entry->variant);
    set_drop_rates(&net);
    bool none = stochastic_depth > 0 && json_array_size(net.drops) == 0;
    char *text = net_text(name, &net), source[64];
    json_decref(net.drops);
    json_decref(net.layers);
    json_decref(net.outputs);
    json_decref(net.names);
    if (text == NULL)
        return status_fail(STATUS_FAILED, "out of memory");
    if (none) {
        free(text);
        return status_fail(STATUS_USAGE, "network %s has no residual blocks, which --stochastic-depth is about", name);
    }
    snprintf(source, sizeof source, "network %s", name);
    Status status = model_parse(text, source, out);
    free(text);
    return status;
}
