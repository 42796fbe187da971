/* SPDX-License-Identifier: Apache-2.0 */
#include "train/keras_optimizer.h"
#include "base/memory.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- options ----------------------------------------------------------------------------------------------------- */

static const char *const classes[] = {"SGD", "Adam", "AdamW", "RMSprop"}; /* as --optimizer, but for case */
enum { CLASSES = sizeof classes / sizeof *classes };                      /* the first of OptimizerKind */

/* Keys of an optimizer's configuration. */
static const struct {
    const char *key, *option; /* NULL: only null, false and 0 are supported */
} keys[] = {
    {"learning_rate", "lr"},
    {"lr", "lr"},
    {"momentum", "momentum"},
    {"nesterov", "nesterov"},
    {"beta_1", "beta-1"},
    {"beta_2", "beta-2"},
    {"rho", "rho"},
    {"epsilon", "epsilon"},
    {"weight_decay", "weight-decay"},
    {"global_clipnorm", "clip-norm"},
    {"decay", NULL},
    {"amsgrad", NULL},
    {"centered", NULL},
    {"clipnorm", NULL},
    {"clipvalue", NULL},
    {"use_ema", NULL},
    {"loss_scale_factor", NULL},
    {"gradient_accumulation_steps", NULL},
};
enum { KEYS = sizeof keys / sizeof *keys };

/* Keys that cannot change a step. */
static const char *const ignored[] = {"name", "ema_momentum", "ema_overwrite_frequency", "jit_compile",
                                      "is_legacy_optimizer"};

static bool is_off(const json_t *value) {
    return value == NULL || json_is_null(value) || json_is_false(value) ||
           (json_is_number(value) && json_number_value(value) == 0);
}

static Status set_number(Config *config, const char *option, double value) {
    char text[CLI_NUMBER];
    return config_given(config, option) ? STATUS_OK : config_set(config, option, cli_number(value, text), SOURCE_FILE);
}

static Status set_key(Config *config, const char *key, const json_t *value) {
    size_t k = 0;
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        if (strcmp(ignored[i], key) == 0)
            return STATUS_OK;
    while (k < KEYS && strcmp(keys[k].key, key) != 0)
        k++;
    if (k == KEYS)
        return status_fail(STATUS_FAILED, "unknown key \"%.60s\"", key);
    if (is_off(value)) /* what is on by default is in every file */
        return STATUS_OK;
    if (keys[k].option == NULL)
        return status_fail(STATUS_FAILED, "key %s is not supported", key);
    if (config_given(config, keys[k].option))
        return STATUS_OK;
    if (strcmp(key, "nesterov") == 0)
        return config_set(config, "nesterov", "true", SOURCE_FILE);
    if (json_is_object(value) && strcmp(keys[k].option, "lr") == 0)
        return status_fail(STATUS_FAILED, "the learning rate follows a schedule (%.60s): give --lr and --schedule",
                           json_string_value(json_object_get(value, "class_name")));
    if (!json_is_number(value))
        return status_fail(STATUS_FAILED, "key %s must be a number", key);
    return set_number(config, keys[k].option, json_number_value(value));
}

/* The configuration in `root`, the file's training_config or config.json: {"class_name", "config"} or a word. */
static const json_t *find_config(const json_t *root) {
    const json_t *compiled = json_object_get(root, "compile_config");
    const json_t *found = json_object_get(compiled ? compiled : root, compiled ? "optimizer" : "optimizer_config");
    return found;
}

/* "Custom>Adam": what tf.keras 2.11 to 2.15 call their newer optimizers. */
static const char *class_of(const json_t *optimizer) {
    const json_t *name = json_is_object(optimizer) ? json_object_get(optimizer, "class_name") : optimizer;
    const char *class = json_string_value(name);
    return class && strncmp(class, "Custom>", 7) == 0 ? class + 7 : class;
}

static Status set_options(const json_t *optimizer, Config *config) {
    const char *class = class_of(optimizer), *key;
    json_t *value;
    int kind = 0;
    if (class == NULL)
        return status_fail(STATUS_FAILED, "was saved without its optimizer: leave --with-optimizer away");
    while (kind < CLASSES && strcasecmp(classes[kind], class) != 0)
        kind++;
    if (kind == CLASSES)
        return status_fail(STATUS_FAILED,
                           "optimizer %.60s is not supported, only SGD, Adam, AdamW and RMSprop: leave "
                           "--with-optimizer away",
                           class);
    if (config_given(config, "optimizer") && (int)config->optimizer.kind != kind)
        return status_fail(STATUS_USAGE, "was trained with %s: leave --optimizer or --with-optimizer away",
                           classes[kind]);
    char word[16] = "";
    for (size_t i = 0; classes[kind][i]; i++)
        word[i] = (char)(classes[kind][i] | 0x20);
    TRY(config_set(config, "optimizer", word, SOURCE_FILE));
    json_object_foreach(json_object_get(optimizer, "config"), key, value) {
        Status status = set_key(config, key, value);
        if (status != STATUS_OK)
            return status_context(status, "optimizer %s", class);
    }
    return STATUS_OK;
}

Status keras_optimizer_options(const Checkpoint *file, const char *origin, Config *config) {
    /* What the file does not say is off, whatever a network's recipe has. */
    static const char *const off[] = {"momentum", "weight-decay", "warmup"};
    const char *text = file->training_config ? file->training_config : file->model_config;
    if (file->ours)
        return status_fail(STATUS_USAGE, "%s was written here: --resume goes on with its optimizer", origin);
    json_t *root = text ? json_loads(text, 0, NULL) : NULL;
    Status status = set_options(find_config(root), config);
    for (size_t i = 0; i < sizeof off / sizeof *off && status == STATUS_OK; i++)
        if (!(config->optimizer.kind == OPTIMIZER_ADAMW && strcmp(off[i], "weight-decay") == 0))
            status = set_number(config, off[i], 0);
    if (status == STATUS_OK && !config_given(config, "weight-decay-all")) /* Keras leaves nothing out by itself */
        status = config_set(config, "weight-decay-all", "true", SOURCE_FILE);
    if (status == STATUS_OK && !config_given(config, "schedule"))
        status = config_set(config, "schedule", "constant", SOURCE_FILE);
    json_decref(root);
    return status == STATUS_OK ? STATUS_OK : status_context(status, "%s", origin);
}

/* ---- state ------------------------------------------------------------------------------------------------------- */

typedef struct Trained {
    const Param *param;
    const char *stored; /* its name in the file */
} Trained;

static int by_stored_name(const void *a, const void *b) {
    return strcmp(((const Trained *)a)->stored, ((const Trained *)b)->stored);
}

/* The trained parameters in the order of Keras; stored NULL for those that start anew. */
static Status list_trained(const Matches *matches, Trained **list, size_t *count) {
    *count = 0;
    TRY(memory_new(list, matches->count, "optimizer"));
    for (size_t i = 0; i < matches->count; i++) {
        const CheckpointTensor *tensor = matches->of[matches->order[i]].tensor;
        const Param *param = &matches->graph->params[matches->order[i]];
        if (param->spec.role == PARAM_TRAINED)
            (*list)[(*count)++] = (Trained){param, tensor ? tensor->stored : NULL};
    }
    return STATUS_OK;
}

/* Version of Keras as a number, 2.2.4: 20204; 0 where the file does not say. */
static int version_of(const Checkpoint *file) {
    int major = 0, minor = 0, patch = 0;
    if (file->writer == NULL || sscanf(file->writer, "keras %d.%d.%d", &major, &minor, &patch) < 1)
        return 0;
    return major * 10000 + minor * 100 + patch;
}

/* Do the two slots of Adam stand weight by weight? */
static bool alternates(const Checkpoint *file) {
    json_t *root = file->training_config ? json_loads(file->training_config, 0, NULL) : NULL;
    const char *class = json_string_value(json_object_get(find_config(root), "class_name"));
    bool newer = class && strncmp(class, "Custom>", 7) == 0;
    json_decref(root);
    return newer || file->naming == CHECKPOINT_CLASS_PATHS || version_of(file) >= 30000;
}

static Status copy_slot(const CheckpointTensor *from, const Trained *to, const OptimizerSlot *slot) {
    char have[SHAPE_TEXT], want[SHAPE_TEXT];
    const Param *param = to->param;
    if (!shape_equal(&from->shape, &param->spec.shape))
        return status_fail(STATUS_FAILED,
                           "optimizer variable %s has the shape %s, %s of %s/%s needs %s: the optimizer was made for "
                           "another network, or other layers were trained. Leave --with-optimizer away.",
                           from->name, shape_format(&from->shape, have), slot->name, param->spec.layer,
                           param->spec.name, shape_format(&param->spec.shape, want));
    memcpy(slot->slab + param->offset, from->data, param->count * sizeof *slot->slab);
    return STATUS_OK;
}

static Status restore(const Checkpoint *file, Trained *trained, size_t count, Optimizer *optimizer,
                      uint64_t *iteration) {
    const CheckpointTensor *vars = file->optimizer;
    size_t n = file->optimizer_count, slots = optimizer->slot_count;
    bool adam = optimizer->options.kind == OPTIMIZER_ADAM || optimizer->options.kind == OPTIMIZER_ADAMW;
    if (n == 0)
        return status_fail(STATUS_FAILED, "holds no state of the optimizer: leave --with-optimizer away");
    if (vars[0].shape.rank != 0 || !((double)vars[0].data[0] >= 0 && (double)vars[0].data[0] < 1e15))
        return status_fail(STATUS_FAILED, "the optimizer's first variable (%s) is no number of steps", vars[0].name);
    *iteration = (uint64_t)vars[0].data[0];
    size_t first = n > 1 && vars[1].shape.rank == 0 ? 2 : 1; /* Keras 3 keeps the learning rate there */
    bool unused = slots == 0 && n - first == count;          /* tf.keras keeps the momentum of SGD without, too */
    if (n - first != slots * count && !unused)
        return status_fail(STATUS_FAILED,
                           "holds %zu optimizer variables beside the number of steps, but %zu slots of %zu trained "
                           "weights make %zu: the optimizer was made for another network, or other layers were "
                           "trained. Leave --with-optimizer away.",
                           n - first, slots, count, slots * count);
    if (version_of(file) > 0 && version_of(file) < 20204)
        qsort(trained, count, sizeof *trained, by_stored_name);
    bool turns = adam && alternates(file);
    for (size_t s = 0; s < slots; s++)
        for (size_t i = 0; i < count; i++)
            TRY(copy_slot(&vars[first + (turns ? i * slots + s : s * count + i)], &trained[i], &optimizer->slots[s]));
    return STATUS_OK;
}

Status keras_optimizer_restore(const Matches *matches, const char *origin, Optimizer *optimizer, uint64_t *iteration) {
    Trained *trained;
    size_t count;
    TRY(list_trained(matches, &trained, &count));
    Status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        if (trained[i].stored == NULL)
            status = status_fail(STATUS_FAILED, "--with-optimizer needs all trained weights, but %s/%s starts anew",
                                 trained[i].param->spec.layer, trained[i].param->spec.name);
    if (status == STATUS_OK)
        status = restore(matches->checkpoint, trained, count, optimizer, iteration);
    memory_free(trained);
    return status == STATUS_OK ? STATUS_OK : status_context(status, "%s", origin);
}
