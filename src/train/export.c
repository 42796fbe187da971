/* SPDX-License-Identifier: Apache-2.0 */
#include "train/export.h"
#include "base/log.h"
#include "base/memory.h"
#include "data/sampler.h"
#include "train/export_internal.h"
#include "train/record.h"
#include <stdio.h>
#include <string.h>

typedef struct Export {
    Model *whole; /* what the checkpoint holds */
    Graph *graph;
    Real *weights;
    Optimizer *optimizer; /* NULL: no run, or its end is left off */
    Model *written;       /* the layers that are written, in Keras's order */
    double lr;
    Real step, rate; /* the optimizer's, as it is written */
} Export;

static void close_export(Export *e) {
    optimizer_destroy(e->optimizer);
    memory_free(e->weights);
    graph_destroy(e->graph);
    model_destroy(e->whole);
    model_destroy(e->written);
}

/* ---- reading ---- */

/* Weights and optimizer of a run. */
static Status open_run(Export *e, const Checkpoint *checkpoint, const char *origin) {
    RecordState saved;
    TRY(record_parse(checkpoint->state, origin, &saved));
    record_free(&saved); /* its texts: only numbers are needed */
    const Config *config = &saved.config;
    ScheduleOptions schedule = config_schedule(config);
    uint64_t steps = sampler_steps(saved.train_examples, config->batch_size);
    uint64_t all = steps * config->epochs, step = saved.state.step;
    if (steps == 0 || all == 0)
        return status_fail(STATUS_FAILED, "%s: the training state names no examples or epochs", origin);
    /* The rate of the next step; of the last, when that was it. */
    e->lr = schedule_lr(&schedule, step < all ? step : all - 1, steps, config->epochs);
    e->rate = (Real)e->lr;
    e->step = (Real)(saved.state.before + step);
    TRY(optimizer_create(&config->optimizer, e->graph, NULL, &e->optimizer));
    Record record = {.model = e->whole, .graph = e->graph, .weights = e->weights, .optimizer = e->optimizer};
    return record_restore(&record, checkpoint, origin);
}

static Status open_export(Export *e, const Checkpoint *checkpoint, const char *origin, bool without_head) {
    char *text = NULL;
    size_t loaded;
    if (checkpoint->model_config == NULL)
        return status_fail(STATUS_FAILED, "%s holds weights only, no network", origin);
    TRY(record_network(checkpoint, origin, &text));
    Status status = model_parse(text, origin, &e->whole);
    memory_free(text);
    TRY(status);
    TRY(graph_create(&e->graph));
    TRY(model_build(e->whole, &(ModelBuild){0}, e->graph));
    TRY(graph_finish(e->graph));
    TRY(memory_new(&e->weights, e->graph->weight_count, "weights"));
    TRY(checkpoint->state != NULL ? open_run(e, checkpoint, origin)
                                  : record_load_weights(e->whole, e->graph, e->weights, checkpoint, origin, &loaded));
    TRY(without_head ? export__headless(e->whole, e->graph, &text) : model_to_json(e->whole, &text));
    status = model_parse(text, origin, &e->written);
    memory_free(text);
    if (status == STATUS_OK && without_head) {
        optimizer_destroy(e->optimizer);
        e->optimizer = NULL;
    }
    return status;
}

/* ---- writing ---- */

/* The parameters of a layer of `written`. */
static size_t layer_params(const Export *e, size_t layer, int params[MODEL_LAYER_PARAMS]) {
    int whole = model_find_layer(e->whole, e->written->layers[layer].name);
    return whole < 0 ? 0 : model_layer_params(e->whole, (size_t)whole, e->graph, params);
}

/* Keras 3's variables: iteration, learning rate, then the slots of each trained weight in model order; Adam's two of a
 * weight stand together, those of others slot by slot (keras.src.optimizers: the order in which `build` adds them). */
static Status make_optimizer(const Export *e, CheckpointTensor **tensors, size_t *count) {
    const Optimizer *optimizer = e->optimizer;
    OptimizerKind kind = optimizer->options.kind;
    bool together = kind == OPTIMIZER_ADAM || kind == OPTIMIZER_ADAMW || kind == OPTIMIZER_LAMB;
    size_t slots = optimizer->slot_count, used = 2;
    TRY(memory_new(tensors, 2 + slots * e->graph->param_count, "optimizer variables"));
    (*tensors)[0] = (CheckpointTensor){.name = "iteration", .data = &e->step};
    (*tensors)[1] = (CheckpointTensor){.name = "learning_rate", .data = &e->rate};
    for (size_t pass = 0; pass < (together ? 1 : slots); pass++)
        for (size_t l = 0; l < e->written->layer_count; l++) {
            int params[MODEL_LAYER_PARAMS];
            size_t n = layer_params(e, l, params);
            for (size_t k = 0; k < n; k++) {
                const Param *param = &e->graph->params[params[k]];
                for (size_t s = 0; s < slots && param->spec.role == PARAM_TRAINED; s++)
                    if (together || s == pass)
                        (*tensors)[used++] = record_tensor(param, optimizer->slots[s].slab);
            }
        }
    *count = used;
    return STATUS_OK;
}

static Status write_weights(const Export *e, ExportForm form, const char *config, const char *training_config,
                            unsigned char **image, size_t *size) {
    Checkpoint content = {.naming = form == EXPORT_HDF5 ? CHECKPOINT_LAYER_NAMES : CHECKPOINT_CLASS_PATHS,
                          .model_config = config,
                          .training_config = training_config};
    TRY(record_layers(&(RecordLayers){.model = e->whole,
                                      .graph = e->graph,
                                      .written = e->written,
                                      .by_path = content.naming == CHECKPOINT_CLASS_PATHS,
                                      .slab = e->weights},
                      &content.layers, &content.layer_count));
    Status status = STATUS_OK;
    if (e->optimizer != NULL && content.naming == CHECKPOINT_CLASS_PATHS)
        status = make_optimizer(e, &content.optimizer, &content.optimizer_count);
    if (status == STATUS_OK)
        status = checkpoint_image(&content, image, size);
    memory_free(content.optimizer);
    record_free_layers(content.layers);
    return status;
}

/* Both versions of Keras open an .h5 file, and read this word differently. */
static void warn_of_meaning(const Model *model, const char *config) {
    if (strstr(config, "\"hard_sigmoid\"") != NULL)
        log_warn("network %s uses hard_sigmoid as Keras %d means it; Keras %d computes something else", model->name,
                 model->keras, 5 - model->keras);
}

static Status write_form(const Export *e, const Checkpoint *checkpoint, ExportForm form, unsigned char **image,
                         size_t *size) {
    const char *training_config = e->optimizer != NULL ? checkpoint->training_config : NULL;
    char *config = NULL;
    if (form == EXPORT_HDF5) {
        TRY(model_to_json(e->written, &config));
        warn_of_meaning(e->written, config);
    } else if (form != EXPORT_WEIGHTS) {
        TRY(export__keras3(e->written, form == EXPORT_KERAS ? training_config : NULL, e->lr, &config));
    }
    if (form == EXPORT_JSON) {
        *image = (unsigned char *)config;
        *size = strlen(config);
        return STATUS_OK;
    }
    Status status = write_weights(e, form, config, training_config, image, size);
    memory_free(config);
    return status;
}

Status export_image(const Checkpoint *checkpoint, const char *origin, ExportForm form, bool without_head,
                    unsigned char **image, size_t *size) {
    Export e = {0};
    *image = NULL;
    *size = 0;
    Status status = open_export(&e, checkpoint, origin, without_head);
    if (status == STATUS_OK)
        status = write_form(&e, checkpoint, form, image, size);
    close_export(&e);
    return status;
}

Status export_form(const char *path, ExportForm *form) {
    static const struct {
        const char *end;
        ExportForm form;
    } forms[] = {
        {".keras", EXPORT_KERAS}, {".weights.h5", EXPORT_WEIGHTS}, {".h5", EXPORT_HDF5}, {".json", EXPORT_JSON}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (cli_has_ending(path, forms[i].end)) {
            *form = forms[i].form;
            return STATUS_OK;
        }
    }
    return status_fail(STATUS_USAGE, "%s: the name must end in .keras, .weights.h5, .h5 or .json", path);
}
