/* SPDX-License-Identifier: Apache-2.0 */
#include "model/zoo/zoo.h"
#include "base/edit_distance.h"
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
    enum { SHOWN = 4 };
    Status status = status_fail(STATUS_USAGE, "unknown network \"%.80s\".", name);
    size_t shown = 0, far = strlen(name) / 3 + 2; /* more edits than a third of the letters is another word */
    for (size_t distance = 1; distance < far; distance++)
        for (size_t i = 0; i < zoo_count; i++)
            if (shown < SHOWN && edit_distance(name, zoo_entries[i].name) == distance)
                status = status_fail(status, "%s%s %s", status_message(), shown++ ? "," : " Did you mean",
                                     zoo_entries[i].name);
    return status_fail(status,
                       "%s%s cnn_train --list-models names all; a Keras file, .json, .h5 or .keras, can be given too.",
                       status_message(), shown ? "?" : "");
}

/* What examples of a rank are, and how many of their extents the network looks along. */
static const struct {
    const char *what, *extents;
    size_t looked_at;
} kinds[SHAPE_MAX + 1] = {
    [1] = {"rows of numbers", "length", 1},
    [2] = {"series", "length x channels", 1},
    [3] = {"images", "height x width x channels", 2},
    [4] = {"videos", "frames x height x width x channels", 3},
};

static Status too_small(const ZooEntry *entry, const Shape *input) {
    char text[SHAPE_TEXT], least[SHAPE_TEXT];
    Shape smallest = {.rank = kinds[entry->input.rank].looked_at};
    for (size_t i = 0; i < smallest.rank; i++)
        smallest.dim[i] = entry->smallest;
    return status_fail(
        STATUS_USAGE,
        "network %s takes %s of at least %s; these are %s. %s, or choose a network for small %s (cnn_train "
        "--list-models)",
        entry->name, kinds[entry->input.rank].what, shape_format(&smallest, least), shape_format(input, text),
        entry->input.rank == 3 ? "Make them larger, by --size for pictures in folders, else by that of "
                                 "cnn_import"
                               : "Import them at a larger size",
        kinds[entry->input.rank].what);
}

/* Examples of another kind; which networks are for them. */
static Status wrong_kind(const ZooEntry *entry, const Shape *given) {
    char text[SHAPE_TEXT];
    size_t rank = entry->input.rank;
    Status status = status_fail(STATUS_USAGE, "network %s takes %s, %s; an example is %s. For those, --model takes",
                                entry->name, kinds[rank].what, kinds[rank].extents, shape_format(given, text));
    if (given->rank == 3)
        return status_fail(status, "%s a network for images (cnn_train --list-models), or a Keras file",
                           status_message());
    for (size_t i = 0; i < zoo_count; i++)
        if (zoo_entries[i].input.rank == given->rank)
            status = status_fail(status, "%s %s,", status_message(), zoo_entries[i].name);
    return status_fail(status, "%s or a Keras file", status_message());
}

/* *input becomes a shape of the network's rank. */
static Status check_size(const ZooEntry *entry, Shape *input, size_t classes) {
    size_t rank = entry->input.rank;
    Shape given = *input;
    if (rank == 3 ? given.rank != 3 : !shape_to_rank(&given, rank, input))
        return wrong_kind(entry, &given);
    for (size_t i = 0; i < kinds[rank].looked_at; i++)
        if (input->dim[i] < entry->smallest)
            return too_small(entry, input);
    if (input->dim[rank - 1] < 1 || classes < 1)
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
    return zoo_create_with(name, input, classes, &(ZooOptions){.stochastic_depth = -1, .vocabulary = ZOO_VOCABULARY},
                           out);
}

Status zoo_create_with(const char *name, Shape input, size_t classes, const ZooOptions *options, Model **out) {
    const ZooEntry *entry = zoo_find(name);
    *out = NULL;
    if (entry == NULL)
        return unknown(name);
    TRY(check_size(entry, &input, classes));
    ZooNet net = {.input = input,
                  .stochastic_depth = options->stochastic_depth,
                  .vocabulary = options->vocabulary,
                  .drops = json_array(),
                  .classes = classes,
                  .l2 = entry->recipe->l2,
                  .layers = json_array(),
                  .outputs = json_array(),
                  .names = json_array()};
    entry->build(&net, entry->variant);
    set_drop_rates(&net);
    bool none = options->stochastic_depth > 0 && json_array_size(net.drops) == 0;
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
