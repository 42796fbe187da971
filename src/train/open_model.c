/* SPDX-License-Identifier: Apache-2.0
 *
 * Which network a run trains, and the weights that it begins with. */
#include "base/log.h"
#include "base/memory.h"
#include "data/folder.h"
#include "data/pictures.h"
#include "io/file.h"
#include "model/model_edit.h"
#include "model/zoo/zoo.h"
#include "train/keras_optimizer.h"
#include "train/trainer_internal.h"
#include <math.h>
#include <string.h>

/* ---- network ----------------------------------------------------------------------------------------------------- */

/* Reads the file, or the best checkpoint of the run, that `given` names; *path is which, for messages.  The caller
 * gives both back, also after a failure. */
static Status read_any(const char *given, char **path, Checkpoint **checkpoint) {
    *checkpoint = NULL;
    TRY(run_resolve(given, "best", path));
    return checkpoint_read(*path, CHECKPOINT_ANY, checkpoint);
}

/* What a file says beside its weights. */
static Status read_texts(const char *given, char **network, char **preprocess) {
    Checkpoint *checkpoint;
    char *file;
    Status status = read_any(given, &file, &checkpoint);
    if (status == STATUS_OK && network)
        status = record_network(checkpoint, file, network);
    if (status == STATUS_OK && preprocess && checkpoint->preprocess)
        status = memory_strdup(checkpoint->preprocess, preprocess);
    checkpoint_destroy(checkpoint);
    memory_free(file);
    return status;
}

/* What digits-net makes of images: larger ones lose more than most would expect of a network that they did not name. */
enum { DIGITS = 28 };

/* Rank 0's part: t->model_text unless the network is the zoo's, t->file_preprocess. */
static Status read_network(Trainer *t) {
    static const char *const endings[] = {".json", ".h5", ".hdf5", ".keras"};
    char model_path[CONFIG_PATH], init_path[CONFIG_PATH];
    const char *model = t->config->model, *init_from = config_path(t->config, "init-from", init_path);
    bool is_file = false;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        is_file |= cli_has_ending(model, endings[i]);
    if (is_file)
        model = config_path(t->config, "model", model_path);
    size_t size;
    if (is_file && cli_has_ending(model, ".json"))
        TRY(file_read(model, (unsigned char **)&t->model_text, &size));
    else if (is_file)
        TRY(read_texts(model, &t->model_text, NULL));
    if (is_file && !cli_has_ending(model, ".json") && init_from[0] == '\0')
        log_info("network of %s, without its weights; --init-from %s goes on from these\n", model, model);
    return init_from[0] ? read_texts(init_from, model[0] ? NULL : &t->model_text, &t->file_preprocess) : STATUS_OK;
}

Status trainer__read_model(Trainer *t) {
    const Config *config = t->config;
    const char *source = config->model[0] ? config->model : config->init_from[0] ? config->init_from : "checkpoint";
    if (!t->resuming) {
        TRY(dist_agree(t->dist, dist_rank(t->dist) == 0 ? read_network(t) : STATUS_OK));
        TRY(dist_broadcast_text(t->dist, &t->model_text));
        TRY(dist_broadcast_text(t->dist, &t->file_preprocess));
    }
    return t->model_text ? setup_model(&t->setup, t->model_text, source) : STATUS_OK;
}

/* How pictures in folders come to the network, where options do not say: as to the one that is resumed, or whose
 * weights it begins with; a network of the zoo has a usual size. */
static Status network_pictures(const Trainer *t, DatasetOptions *out) {
    const ZooEntry *entry = config_given(t->config, "model") ? zoo_find(t->config->model) : NULL;
    Preprocess recorded;
    char **names;
    size_t count;
    *out = (DatasetOptions){.rule.fit = IMAGE_FITS};
    if (entry && entry->input.rank == 3)
        out->usual = entry->input;
    if (t->file_preprocess) {
        TRY(preprocess_from_json(t->file_preprocess, &recorded, &names, &count));
        memory_free(names);
        out->rule = preprocess_rule(&recorded);
    }
    if (t->model_text) { /* --model goes before the file that weights come from */
        Preprocess input = {.shape = model_input_shape(t->setup.model)};
        PictureRule said = preprocess_rule(&input);
        if (said.width == 0)
            said.height = 0; /* both or none */
        picture_rule_prefer(&said, &out->rule);
    }
    return STATUS_OK;
}

Status trainer__open_data(Trainer *t) {
    const Config *config = t->config;
    DatasetOptions network;
    char text[SHAPE_TEXT], path[CONFIG_PATH];
    TRY(dist_agree(t->dist, network_pictures(t, &network)));
    TRY(setup_run_data(&t->setup, config, &network));
    if (t->setup.model == NULL && !t->resuming) /* a network of the zoo suits itself to the data */
        dataset_warn_of_doubts(t->setup.info);
    const Shape *shape = &t->setup.info->shape;
    bool taken = shape->dim[0] == network.rule.height && shape->dim[1] == network.rule.width;
    bool usual =
        network.usual.rank > 0 && shape->dim[0] == network.usual.dim[0] && shape->dim[1] == network.usual.dim[1];
    if (folder_is_source(config_path(config, "data", path)) && config->size[0] == '\0' && (taken || usual) &&
        !t->resuming)
        log_info("pictures: brought to %s, the size of %s; --size says another\n", shape_format(shape, text),
                 taken ? t->setup.model ? t->setup.model->name : config->init_from : config->model);
    return STATUS_OK;
}

Status trainer__open_model(Trainer *t) {
    const Config *config = t->config;
    t->setup.classes = config->classes;
    t->setup.stochastic_depth = config_given(config, "stochastic-depth") ? config->stochastic_depth : -1;
    const Shape *x = &t->setup.info->shape;
    if (!t->resuming && !config_given(config, "model") && !config->init_from[0] && x->rank == 3 &&
        (x->dim[0] > DIGITS || x->dim[1] > DIGITS))
        log_warn(
            "no --model is given: %s is taken, which is for digits and makes these images %dx%d. Others: cnn_train "
            "--list-models",
            config->model, DIGITS, DIGITS);
    if (t->setup.model == NULL)
        TRY(setup_model(&t->setup, NULL, config->model));
    return dist_agree(t->dist, t->resuming ? STATUS_OK : trainer__adapt_model(t));
}

Status trainer__read_optimizer(Config *config) {
    Checkpoint *checkpoint;
    char *file;
    char path[CONFIG_PATH];
    Status status = read_any(config_path(config, "init-from", path), &file, &checkpoint);
    if (status == STATUS_OK)
        status = keras_optimizer_options(checkpoint, file, config);
    checkpoint_destroy(checkpoint);
    memory_free(file);
    return status;
}

Status trainer__take_optimizer(Trainer *t) {
    if (!t->config->with_optimizer || t->resuming)
        return STATUS_OK;
    TRY(dist_agree(t->dist, dist_rank(t->dist) == 0 ? trainer__read_optimizer(t->config) : STATUS_OK));
    dist_broadcast(t->dist, t->config, sizeof *t->config);
    return STATUS_OK;
}

/* ---- weights ----------------------------------------------------------------------------------------------------- */

static Status take_weights(Trainer *t, const Checkpoint *checkpoint, const char *path) {
    MatchOptions options = {.allow_mismatch = t->config->allow_mismatch, .parts = t->parts};
    Matches matches = {0};
    Status status = match_weights(t->setup.model, t->setup.graph, checkpoint, path, options, &matches);
    if (status != STATUS_OK && t->made_for[0])
        status = status_fail(status, "%s The network was made for images of %s: bring the data to that size (--size).",
                             status_message(), t->made_for);
    if (status == STATUS_OK)
        match_report(&matches, &options, t->setup.model, path);
    if (status == STATUS_OK && !t->config->dry_run) {
        match_copy(&matches, t->replica->weights);
        if (t->config->with_optimizer)
            status = keras_optimizer_restore(&matches, path, t->optimizer, &t->state.before);
        if (t->state.before > 0)
            log_info("optimizer: as it was after %llu steps\n", (unsigned long long)t->state.before);
    }
    match_free(&matches);
    return status;
}

static Status load_on_root(Trainer *t) {
    Checkpoint *checkpoint;
    char *path, given[CONFIG_PATH];
    Status status = read_any(config_path(t->config, "init-from", given), &path, &checkpoint);
    if (status == STATUS_OK)
        status = take_weights(t, checkpoint, path);
    checkpoint_destroy(checkpoint);
    memory_free(path);
    return status;
}

Status trainer__load_initial(Trainer *t) {
    bool loads = dist_rank(t->dist) == 0 && t->config->init_from[0] && !t->resuming;
    return dist_agree(t->dist, loads ? load_on_root(t) : STATUS_OK);
}

Status trainer__start_weights(Trainer *t) {
    t->state.best_loss = INFINITY;
    graph_initialize(t->setup.graph, t->config->seed, t->replica->weights);
    if (!t->resuming && t->config->init_from[0]) {
        TRY(trainer__load_initial(t));
        trainer__broadcast(t);
        dist_broadcast(t->dist, &t->state.before, sizeof t->state.before);
    }
    average_start(t->average, t->replica->weights);
    return t->resuming ? trainer__restore(t) : STATUS_OK;
}
