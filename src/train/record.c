/* SPDX-License-Identifier: Apache-2.0 */
#include "train/record.h"
#include "base/memory.h"
#include <jansson.h>
#include <math.h>
#include <string.h>

/* ---- layers of the checkpoint ------------------------------------------------------------------------------------ */

/* The parameters of layer `l` of the file. */
static size_t params_of(const RecordLayers *of, size_t l, int params[MODEL_LAYER_PARAMS]) {
    int layer = of->written == of->model ? (int)l : model_find_layer(of->model, of->written->layers[l].name);
    return layer < 0 ? 0 : model_layer_params(of->model, (size_t)layer, of->graph, params);
}

Status record_layers(const RecordLayers *of, CheckpointLayer **layers, size_t *count) {
    CheckpointTensor *tensors;
    size_t used = 0;
    *count = 0;
    TRY(memory_new(layers, of->written->layer_count, "layers of a checkpoint"));
    Status status = memory_new(&tensors, of->graph->param_count, "weights of a checkpoint");
    if (status != STATUS_OK) {
        memory_free(*layers);
        *layers = NULL; /* so that they can be given back again */
        return status;
    }
    for (size_t l = 0; l < of->written->layer_count; l++) {
        const ModelLayer *from = &of->written->layers[l];
        int params[MODEL_LAYER_PARAMS];
        size_t n = params_of(of, l, params);
        CheckpointLayer *layer = &(*layers)[*count];
        *layer = (CheckpointLayer){.name = of->by_path ? from->path : from->name, .weights = tensors + used};
        for (size_t k = 0; k < n; k++) {
            const Param *param = &of->graph->params[params[k]];
            if (of->trained && param->spec.role != PARAM_TRAINED)
                continue;
            tensors[used++] = record_tensor(param, of->slab);
            layer->count++;
        }
        *count += !of->trained || layer->count > 0;
    }
    if (*count == 0) /* nothing points to the tensors: keep them reachable for record_free_layers */
        (*layers)[0].weights = tensors;
    return STATUS_OK;
}

CheckpointTensor record_tensor(const Param *param, const Real *slab) {
    return (CheckpointTensor){.name = param->spec.name, .shape = param->spec.shape, .data = slab + param->offset};
}

void record_free_layers(CheckpointLayer *layers) {
    if (layers)
        memory_free(layers[0].weights); /* one array for all */
    memory_free(layers);
}

/* ---- state ------------------------------------------------------------------------------------------------------- */

static json_t *real_or_null(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *totals_to_json(const Totals *totals, size_t losses) {
    json_t *sums = json_array();
    for (size_t i = 0; i < losses; i++)
        for (size_t k = 0; k < LOSS_SUMS; k++)
            json_array_append_new(sums, json_real(totals->sum[i][k]));
    return json_pack("{s:o, s:f, s:f}", "sums", sums, "penalty", totals->penalty, "examples", totals->examples);
}

static Status state_text(const Record *r, char **out) {
    char *options = NULL, *history = NULL, *metrics = NULL;
    const TrainState *s = r->state;
    Status status;
    *out = NULL;
    TRY_GOTO(config_to_json(r->config, &options), done);
    TRY_GOTO(history_to_json(r->history, &history), done);
    if (r->metrics)
        TRY_GOTO(metrics_to_json(r->metrics, &metrics), done);
    json_t *json =
        json_pack("{s:I, s:I, s:I, s:o, s:o, s:I, s:f, s:f, s:I, s:I, s:s, s:s, s:i, s:o, s:o}", "step",
                  (json_int_t)s->step, "epoch", (json_int_t)s->epoch, "batch", (json_int_t)s->batch, "totals",
                  totals_to_json(&s->totals, r->graph->loss_count), "best_loss", real_or_null(s->best_loss),
                  "best_epoch", (json_int_t)s->best_epoch, "epoch_seconds", s->epoch_seconds, "seconds", s->seconds,
                  "micro_batches", (json_int_t)r->config->micro_batches, "train_examples",
                  (json_int_t)r->train_examples, "fingerprint", r->fingerprint, "environment", r->environment, "ranks",
                  r->ranks, "options", json_loads(options, 0, NULL), "history", json_loads(history, 0, NULL));
    if (json && s->before > 0)
        json_object_set_new(json, "before", json_integer((json_int_t)s->before));
    if (json && metrics)
        json_object_set_new(json, "metrics", json_loads(metrics, 0, NULL));
    if (json && r->content && r->content[0])
        json_object_set_new(json, "content", json_string(r->content));
    if (json && r->files)
        json_object_set_new(json, "files", json_loads(r->files, 0, NULL));
    char *text = json ? json_dumps(json, JSON_INDENT(1) | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(json);
    status = text ? memory_strdup(text, out) : status_fail(STATUS_FAILED, "out of memory: state of the run");
    free(text);
done:
    memory_free(options);
    memory_free(history);
    memory_free(metrics);
    return status;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static const char raw_weights[] = "weights"; /* slot beside averaged ones */

Status record_content(const Record *r, RecordContent *out) {
    Checkpoint *content = &out->checkpoint;
    size_t slot_count = r->optimizer->slot_count;
    *out = (RecordContent){.checkpoint.preprocess = r->preprocess};
    TRY(model_to_json(r->model, &out->model));
    TRY(record_training_config(r->graph, r->config, &out->training));
    TRY(state_text(r, &out->state));
    RecordLayers of = {.model = r->model, .written = r->model, .graph = r->graph};
    of.slab = r->average ? r->average : r->weights;
    TRY(record_layers(&of, &content->layers, &content->layer_count));
    for (size_t i = 0; i < slot_count; i++) {
        out->slots[i].name = r->optimizer->slots[i].name;
        of.slab = r->optimizer->slots[i].slab;
        of.trained = true;
        TRY(record_layers(&of, &out->slots[i].layers, &out->slots[i].count));
    }
    if (r->average) {
        CheckpointSlot *raw = &out->slots[slot_count++];
        raw->name = raw_weights;
        of.slab = r->weights;
        of.trained = false;
        TRY(record_layers(&of, &raw->layers, &raw->count));
    }
    content->model_config = out->model;
    content->training_config = out->training;
    content->state = out->state;
    content->slots = out->slots;
    content->slot_count = slot_count;
    return STATUS_OK;
}

void record_content_free(RecordContent *content) {
    record_free_layers(content->checkpoint.layers);
    for (size_t i = 0; i < sizeof content->slots / sizeof *content->slots; i++)
        record_free_layers(content->slots[i].layers);
    memory_free(content->model);
    memory_free(content->training);
    memory_free(content->state);
}

Status record_image(const Record *r, unsigned char **image, size_t *size) {
    RecordContent content;
    *image = NULL;
    Status status = record_content(r, &content);
    if (status == STATUS_OK)
        status = checkpoint_image(&content.checkpoint, image, size);
    record_content_free(&content);
    return status;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static uint64_t whole(const json_t *json, const char *key, bool *good) {
    const json_t *value = json_object_get(json, key);
    *good &= json_is_integer(value) && json_integer_value(value) >= 0;
    return (uint64_t)json_integer_value(value);
}

static double number(const json_t *json, const char *key, bool *good) {
    const json_t *value = json_object_get(json, key);
    *good &= json_is_number(value) || json_is_null(value);
    return json_is_null(value) ? INFINITY : json_number_value(value);
}

static void read_totals(const json_t *json, Totals *totals, bool *good) {
    const json_t *sums = json_object_get(json, "sums");
    size_t count = json_array_size(sums);
    *good &= json_is_array(sums) && count % LOSS_SUMS == 0 && count <= STATE_MAX_LOSSES * LOSS_SUMS;
    for (size_t i = 0; *good && i < count; i++)
        totals->sum[i / LOSS_SUMS][i % LOSS_SUMS] = json_number_value(json_array_get(sums, i));
    totals->penalty = number(json, "penalty", good);
    totals->examples = number(json, "examples", good);
}

static Status copy_text(const json_t *json, const char *key, char **out) {
    const char *text = json_string_value(json_object_get(json, key));
    return memory_strdup(text ? text : "", out);
}

static Status dump_member(const json_t *json, const char *key, char **out) {
    char *text = json_dumps(json_object_get(json, key), JSON_REAL_PRECISION(17) | JSON_ENCODE_ANY);
    Status status = memory_strdup(text ? text : "{}", out);
    free(text);
    return status;
}

Status record_parse(const char *text, const char *origin, RecordState *out) {
    *out = (RecordState){0};
    char *options = NULL;
    json_error_t error;
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (json == NULL)
        return status_fail(STATUS_FAILED, "%s: the training state is not valid JSON (line %d: %s)", origin, error.line,
                           error.text);
    bool good = json_is_object(json);
    TrainState *s = &out->state;
    s->step = whole(json, "step", &good);
    if (json_object_get(json, "before"))
        s->before = whole(json, "before", &good);
    s->epoch = whole(json, "epoch", &good);
    s->batch = whole(json, "batch", &good);
    read_totals(json_object_get(json, "totals"), &s->totals, &good);
    s->best_loss = number(json, "best_loss", &good);
    s->best_epoch = whole(json, "best_epoch", &good);
    s->epoch_seconds = number(json, "epoch_seconds", &good);
    s->seconds = number(json, "seconds", &good);
    out->train_examples = whole(json, "train_examples", &good);
    if (json_object_get(json, "ranks"))
        out->ranks = whole(json, "ranks", &good);
    Status status = good ? STATUS_OK : status_fail(STATUS_FAILED, "%s: the training state is not complete", origin);
    if (status == STATUS_OK)
        status = copy_text(json, "fingerprint", &out->fingerprint);
    if (status == STATUS_OK)
        status = copy_text(json, "environment", &out->environment);
    if (status == STATUS_OK)
        status = copy_text(json, "content", &out->content);
    if (status == STATUS_OK)
        status = dump_member(json, "history", &out->history);
    if (status == STATUS_OK)
        status = dump_member(json, "metrics", &out->metrics);
    if (status == STATUS_OK)
        status = dump_member(json, "files", &out->files);
    if (status == STATUS_OK)
        status = dump_member(json, "options", &options);
    if (status == STATUS_OK)
        status = config_from_json(&out->config, options, origin, SOURCE_FILE);
    /* A run from before this option was there decayed all parameters. */
    if (status == STATUS_OK && out->config.optimizer.weight_decay > 0 &&
        !config_given(&out->config, "weight-decay-all"))
        status = config_set(&out->config, "weight-decay-all", "true", SOURCE_FILE);
    memory_free(options);
    json_decref(json);
    if (status != STATUS_OK)
        record_free(out);
    return status;
}

void record_free(RecordState *state) {
    memory_free(state->fingerprint);
    memory_free(state->environment);
    memory_free(state->content);
    memory_free(state->history);
    memory_free(state->metrics);
    memory_free(state->files);
    state->fingerprint = state->environment = state->content = state->history = state->metrics = state->files = NULL;
}

/* Copies the tensors of `layers` into a slab; every saved parameter (of those trained) must be there and fit. */
static Status copy_layers(const Record *r, const CheckpointLayer *layers, size_t count, bool trained, Real *slab,
                          const char *origin) {
    for (size_t l = 0; l < r->model->layer_count; l++) {
        int params[MODEL_LAYER_PARAMS];
        size_t n = model_layer_params(r->model, l, r->graph, params);
        const char *layer = r->model->layers[l].name;
        for (size_t k = 0; k < n; k++) {
            const Param *param = &r->graph->params[params[k]];
            if (trained && param->spec.role != PARAM_TRAINED)
                continue;
            const CheckpointTensor *tensor = checkpoint_find(layers, count, layer, param->spec.name);
            if (tensor == NULL || !shape_equal(&tensor->shape, &param->spec.shape))
                return status_fail(STATUS_FAILED,
                                   "%s: weight %s/%s is missing or has another shape: not of this network", origin,
                                   layer, param->spec.name);
            memcpy(slab + param->offset, tensor->data, param->count * sizeof *slab);
        }
    }
    return STATUS_OK;
}

static Status copy_slot(const Record *r, const Checkpoint *checkpoint, const char *name, bool trained, Real *slab,
                        const char *origin) {
    const CheckpointSlot *saved = checkpoint_slot(checkpoint, name);
    if (saved == NULL)
        return status_fail(STATUS_FAILED, "%s: optimizer state \"%s\" is missing: written with another optimizer",
                           origin, name);
    return copy_layers(r, saved->layers, saved->count, trained, slab, origin);
}

Status record_restore(const Record *r, const Checkpoint *checkpoint, const char *origin) {
    Real *seen = r->average ? r->average : r->weights;
    TRY(copy_layers(r, checkpoint->layers, checkpoint->layer_count, false, seen, origin));
    if (r->average)
        TRY(copy_slot(r, checkpoint, raw_weights, false, r->weights, origin));
    for (size_t i = 0; i < r->optimizer->slot_count; i++)
        TRY(copy_slot(r, checkpoint, r->optimizer->slots[i].name, true, r->optimizer->slots[i].slab, origin));
    return STATUS_OK;
}

/* ---- digest ------------------------------------------------------------------------------------------------------ */

Status record_digest(const Checkpoint *checkpoint, char hex[DIGEST_HEX]) {
    const CliProgram *program = config_program();
    /* model, init-from: places of files; what is in them is digested as the checkpoint's network and weights. */
    const char *left_out[CLI_MAX_OPTIONS + 11] = {"epoch_seconds", "seconds", "environment", "ranks",
                                                  "history",       "metrics", "files",       "model",
                                                  "init-from",     "content", "directory"};
    size_t count = 11;
    for (size_t i = 0; i < program->option_count; i++)
        if (program->options[i].record == RECORD_FREE || program->options[i].record == RECORD_NONE)
            left_out[count++] = program->options[i].name;
    return digest_state(checkpoint, count, left_out, hex);
}
