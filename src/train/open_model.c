/* SPDX-License-Identifier: Apache-2.0
 *
 * Which network a run trains, and the weights that it begins with. */
#include "base/log.h"
#include "base/memory.h"
#include "io/file.h"
#include "model/zoo/zoo.h"
#include "train/keras_optimizer.h"
#include "train/trainer_internal.h"
#include <math.h>
#include <string.h>

/* ---- network -------------------------------------------------------------------------------------------------------- */

static bool has_ending(const char *name, const char *ending) {
    size_t length = strlen(name), n = strlen(ending);
    return length > n && strcmp(name + length - n, ending) == 0;
}

/* Reads the file, or the best checkpoint of the run, that `given` names; *path is which, for messages.  The caller gives
 * both back, also after a failure. */
static Status read_any(const char *given, char **path, Checkpoint **checkpoint) {
    *checkpoint = NULL;
    TRY(run_resolve(given, "best", path));
    return checkpoint_read(*path, CHECKPOINT_ANY, checkpoint);
}

/* The text of a network in a file: JSON, or the configuration inside a checkpoint. */
static Status read_model_text(const char *path, char **text) {
    if (has_ending(path, ".json")) {
        size_t size;
        return file_read(path, (unsigned char **)text, &size);
    }
    Checkpoint *checkpoint;
    char *file;
    Status status = read_any(path, &file, &checkpoint);
    if (status == STATUS_OK)
        status = record_network(checkpoint, file, text);
    checkpoint_destroy(checkpoint);
    memory_free(file);
    return status;
}

Status trainer__open_model(Trainer *t) {
    const Config *config = t->config;
    const char *source = config->model[0] ? config->model : config->init_from[0] ? config->init_from : "checkpoint";
    if (t->model_text == NULL && zoo_find(config->model) == NULL) {
        bool is_file = config->model[0] == '\0' || has_ending(source, ".json") || has_ending(source, ".h5") ||
                       has_ending(source, ".hdf5") || has_ending(source, ".keras");
        Status status = STATUS_OK;
        if (is_file && dist_rank(t->dist) == 0)
            status = read_model_text(source, &t->model_text);
        TRY(dist_agree(t->dist, status));
        TRY(dist_broadcast_text(t->dist, &t->model_text));
    }
    return setup_model(&t->setup, t->model_text, source);
}

static Status read_optimizer(Config *config) {
    Checkpoint *checkpoint;
    char *file;
    Status status = read_any(config->init_from, &file, &checkpoint);
    if (status == STATUS_OK)
        status = keras_optimizer_options(checkpoint, file, config);
    checkpoint_destroy(checkpoint);
    memory_free(file);
    return status;
}

Status trainer__take_optimizer(Trainer *t) {
    if (!t->config->with_optimizer)
        return STATUS_OK;
    TRY(dist_agree(t->dist, dist_rank(t->dist) == 0 ? read_optimizer(t->config) : STATUS_OK));
    dist_broadcast(t->dist, t->config, sizeof *t->config);
    return STATUS_OK;
}

/* ---- weights -------------------------------------------------------------------------------------------------------- */

static Status take_weights(Trainer *t, const Checkpoint *checkpoint, const char *path) {
    Matches matches = {0};
    Status status = match_weights(t->setup.model, t->setup.graph, checkpoint, path, t->config->skip_mismatch, &matches);
    if (status == STATUS_OK) {
        match_copy(&matches, t->replica->weights);
        match_report(&matches, path);
        if (t->config->with_optimizer)
            status = keras_optimizer_restore(&matches, path, t->optimizer, &t->state.before);
        if (t->state.before > 0)
            log_info("optimizer: as it was after %llu steps\n", (unsigned long long)t->state.before);
    }
    match_free(&matches);
    return status;
}

static Status load_initial(Trainer *t) {
    Checkpoint *checkpoint;
    char *path;
    Status status = read_any(t->config->init_from, &path, &checkpoint);
    if (status == STATUS_OK)
        status = take_weights(t, checkpoint, path);
    checkpoint_destroy(checkpoint);
    memory_free(path);
    return status;
}

Status trainer__start_weights(Trainer *t) {
    t->state.best_loss = INFINITY;
    graph_initialize(t->setup.graph, t->config->seed, t->replica->weights);
    if (t->resuming)
        return trainer__restore(t);
    if (t->config->init_from[0]) {
        TRY(dist_agree(t->dist, dist_rank(t->dist) == 0 ? load_initial(t) : STATUS_OK));
        trainer__broadcast(t);
        dist_broadcast(t->dist, &t->state.before, sizeof t->state.before);
    }
    return STATUS_OK;
}
