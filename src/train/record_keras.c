/* SPDX-License-Identifier: Apache-2.0
 *
 * What a checkpoint shares with Keras: how the model was compiled, and weights that come from elsewhere. */
#include "base/memory.h"
#include "train/match.h"
#include "train/record.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* ---- training_config --------------------------------------------------------------------------------------------- */

/* Class name and configuration of the optimizer in the words that Keras 2 and 3 both know; AdamW has no common form and
 * follows Keras 3.  LARS and LAMB, which Keras cannot name in a file, become SGD and Adam, whose slots are the same.
 * Weight decay is that of all weights there. */
static json_t *optimizer_config(const Config *config) {
    const OptimizerOptions *o = &config->optimizer;
    double lr = config_schedule(config).lr;
    json_t *keys = NULL;
    const char *name = NULL;
    switch (o->kind) {
    case OPTIMIZER_SGD:
    case OPTIMIZER_LARS:
        name = "SGD";
        keys = json_pack("{s:f, s:f, s:b}", "learning_rate", lr, "momentum", o->momentum, "nesterov", (int)o->nesterov);
        break;
    case OPTIMIZER_RMSPROP:
        name = "RMSprop";
        keys = json_pack("{s:f, s:f, s:f, s:f, s:b}", "learning_rate", lr, "rho", o->rho, "momentum", o->momentum,
                         "epsilon", o->epsilon, "centered", 0);
        break;
    default:
        name = o->kind == OPTIMIZER_ADAMW ? "AdamW" : "Adam";
        keys = json_pack("{s:f, s:f, s:f, s:f, s:b}", "learning_rate", lr, "beta_1", o->beta_1, "beta_2", o->beta_2,
                         "epsilon", o->epsilon, "amsgrad", 0);
    }
    json_object_set_new(keys, "name", json_string(name));
    if (o->weight_decay > 0)
        json_object_set_new(keys, "weight_decay", json_real(o->weight_decay));
    if (o->clip_norm > 0)
        json_object_set_new(keys, "global_clipnorm", json_real(o->clip_norm));
    return json_pack("{s:s, s:o}", "class_name", name, "config", keys);
}

/* One loss alone, several as a list in the order of the outputs. */
static json_t *one_or_list(json_t *list) {
    if (json_array_size(list) != 1)
        return list;
    json_t *only = json_incref(json_array_get(list, 0));
    json_decref(list);
    return only;
}

/* Whether the loss reads the network's output as it is and applies softmax or sigmoid to it itself. */
static bool wants_logits(const Graph *graph, const Node *loss) {
    for (size_t i = 0; i < graph->output_count; i++)
        if (loss->op.attr.loss.from_logits && graph->outputs[i].node == loss->inputs[0])
            return true;
    return false;
}

/* A loss by name; as an object where it has something that is not Keras's default.  Keras knows no smoothing of class
 * numbers: a run with it shows a lower loss in Keras.  Nor does it know losses of pairs: none. */
static json_t *loss_config(const Graph *graph, const Node *node) {
    static const char *const classes[LOSS_KINDS] = {[LOSS_SPARSE_CROSSENTROPY] = "SparseCategoricalCrossentropy",
                                                    [LOSS_CROSSENTROPY] = "CategoricalCrossentropy",
                                                    [LOSS_BINARY_CROSSENTROPY] = "BinaryCrossentropy",
                                                    [LOSS_HUBER] = "Huber",
                                                    [LOSS_BINARY_FOCAL] = "BinaryFocalCrossentropy",
                                                    [LOSS_CATEGORICAL_FOCAL] = "CategoricalFocalCrossentropy"};
    const LossAttr *loss = &node->op.attr.loss;
    if (loss_is_of_pairs(loss->kind))
        return json_null();
    json_t *keys = json_object();
    if (wants_logits(graph, node))
        json_object_set_new(keys, "from_logits", json_true());
    if (loss->label_smoothing != 0 && loss_is_crossentropy(loss->kind) && loss->kind != LOSS_SPARSE_CROSSENTROPY)
        json_object_set_new(keys, "label_smoothing", json_real(loss->label_smoothing));
    if (loss->kind == LOSS_HUBER && loss->delta != 1)
        json_object_set_new(keys, "delta", json_real(loss->delta));
    if (loss->kind == LOSS_BINARY_FOCAL || loss->kind == LOSS_CATEGORICAL_FOCAL) {
        json_object_set_new(keys, "gamma", json_real(loss->gamma));
        if (loss->alpha > 0)
            json_object_set_new(keys, "alpha", json_real(loss->alpha));
        if (loss->kind == LOSS_BINARY_FOCAL && loss->alpha > 0)
            json_object_set_new(keys, "apply_class_balancing", json_true());
    }
    if (json_object_size(keys) > 0)
        return json_pack("{s:s, s:o}", "class_name", classes[loss->kind], "config", keys);
    json_decref(keys);
    return json_string(model_loss_name(loss->kind));
}

Status record_training_config(const Graph *graph, const Config *config, char **out) {
    json_t *losses = json_array(), *weights = json_array(), *metrics = json_array();
    for (size_t i = 0; i < graph->loss_count; i++) {
        const Node *node = &graph->nodes[graph->losses[i]];
        const LossAttr *loss = &node->op.attr.loss;
        json_array_append_new(losses, loss_config(graph, node));
        json_array_append_new(weights, json_real(loss->weight));
        json_array_append_new(metrics, loss_is_crossentropy(loss->kind) ? json_pack("[s]", "accuracy") : json_array());
    }
    json_t *all = json_pack("{s:o, s:o, s:n, s:o, s:o}", "loss", one_or_list(losses), "metrics", one_or_list(metrics),
                            "weighted_metrics", "loss_weights", graph->loss_count > 1 ? weights : json_null(),
                            "optimizer_config", optimizer_config(config));
    char *text = all ? json_dumps(all, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    Status status = text ? memory_strdup(text, out) : status_fail(STATUS_FAILED, "out of memory: training_config");
    free(text);
    if (graph->loss_count <= 1)
        json_decref(weights);
    json_decref(all);
    return status;
}

/* ---- network ----------------------------------------------------------------------------------------------------- */

Status record_network(const Checkpoint *checkpoint, const char *origin, char **text) {
    const char *version = strncmp(checkpoint->writer, "keras ", 6) == 0 ? checkpoint->writer + 6 : NULL;
    if (checkpoint->model_config == NULL)
        return status_fail(STATUS_FAILED, "%s holds weights only: say which network with --model", origin);
    json_t *root = version ? json_loads(checkpoint->model_config, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (!json_is_object(root) || json_object_get(root, "keras_version")) { /* what is damaged, model_parse says */
        json_decref(root);
        return memory_strdup(checkpoint->model_config, text);
    }
    json_object_set_new(root, "keras_version", json_string(version));
    char *dumped = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(root);
    Status status = dumped ? memory_strdup(dumped, text) : status_fail(STATUS_FAILED, "out of memory: network");
    free(dumped);
    return status;
}

/* ---- weights from another file ----------------------------------------------------------------------------------- */

Status record_load_weights(const Model *model, const Graph *graph, Real *weights, const Checkpoint *checkpoint,
                           const char *origin, size_t *loaded) {
    Matches matches;
    Status status = match_weights(model, graph, checkpoint, origin, (MatchOptions){0}, &matches);
    if (status == STATUS_OK)
        match_copy(&matches, weights);
    *loaded = matches.count;
    match_free(&matches);
    return status;
}
