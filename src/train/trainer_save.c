/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "base/memory.h"
#include "train/trainer_internal.h"
#include <string.h>

static Record make_record(const Trainer *t) {
    return (Record){.model = t->setup.model,
                    .graph = t->setup.graph,
                    .weights = t->replica->weights,
                    .optimizer = t->optimizer,
                    .history = t->history,
                    .state = (TrainState *)&t->state,
                    .config = t->config,
                    .preprocess = t->setup.preprocess_json,
                    .fingerprint = t->setup.info->fingerprint,
                    .environment = t->environment,
                    .train_examples = (size_t)t->train.count,
                    .ranks = dist_ranks(t->dist)};
}

static Status save(Trainer *t, bool best, bool final) {
    Record record = make_record(t);
    char name[RUN_NAME];
    unsigned char *image;
    size_t size;
    CheckpointJob job = {.folder = run_folder(t->run), .step = t->state.step, .keep = t->config->keep};
    size_t names = 0;
    job.names[names++] = run_step_name(t->state.step, name);
    if (best)
        job.names[names++] = RUN_BEST;
    if (final)
        job.names[names++] = RUN_FINAL;
    TRY(record_image(&record, &image, &size));
    TRY(checkpoint_writer_submit(t->writer, &job, image, size));
    t->last_save = dist_time();
    return STATUS_OK;
}

Status trainer__save(Trainer *t, bool best, bool final) {
    Status status = dist_rank(t->dist) == 0 ? save(t, best, final) : STATUS_OK;
    t->saved_step = t->state.step;
    return dist_agree(t->dist, status);
}

/* ---- resuming ------------------------------------------------------------------------------------------------------- */

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

Status trainer__base(const Config *config, char **out) {
    const char *model = base_name(config->model[0] ? config->model : config->init_from);
    const char *data = config->data[0] ? base_name(config->data) : "digits";
    int model_length = (int)strcspn(model, "."), data_length = (int)strcspn(data, ".");
    return memory_format(out, "checkpoints/%.*s-%.*s", model_length, model, data_length, data);
}

/* Reads `path` and lays its options under the given ones. */
static Status read_options(Config *config, const char *path, char **changes) {
    Checkpoint *checkpoint;
    RecordState saved = {0};
    TRY(checkpoint_read(path, CHECKPOINT_OURS, &checkpoint));
    Status status = record_parse(checkpoint->state, path, &saved);
    if (status == STATUS_OK)
        status = config_resume(config, &saved.config, path, changes);
    record_free(&saved);
    checkpoint_destroy(checkpoint);
    return status;
}

/* --resume auto without --out: the unfinished run of the highest number whose options are the same. */
static Status find_auto(Trainer *t) {
    char *base = NULL, *folder = NULL, *newest = NULL, *changes = NULL;
    uint64_t *numbers = NULL;
    size_t count = 0;
    Status status;
    TRY_GOTO(trainer__base(t->config, &base), done);
    TRY_GOTO(run_numbers(base, &numbers, &count), done);
    for (size_t i = 0; i < count && t->checkpoint == NULL; i++) {
        memory_free(folder);
        memory_free(newest);
        memory_free(changes);
        folder = newest = changes = NULL;
        TRY_GOTO(memory_format(&folder, "%s-%llu", base, (unsigned long long)numbers[i]), done);
        if (run_is_finished(folder) || run_newest_whole(folder, &newest) != STATUS_OK)
            continue;
        Config trial = *t->config;
        if (read_options(&trial, newest, &changes) != STATUS_OK || changes[0] != '\0')
            continue;
        t->checkpoint = newest;
        t->folder = folder;
        newest = folder = NULL;
    }
done:
    memory_free(base);
    memory_free(folder);
    memory_free(newest);
    memory_free(changes);
    memory_free(numbers);
    return status;
}

/* --resume auto --out FOLDER: that folder's run, or a new one in it. */
static Status find_in_out(Trainer *t) {
    uint64_t *steps = NULL;
    size_t count = 0;
    TRY(memory_strdup(t->config->out, &t->folder));
    if (run_steps(t->folder, &steps, &count) != STATUS_OK || count == 0) {
        t->replace_folder = true; /* it ended before its first checkpoint */
        memory_free(steps);
        return STATUS_OK;
    }
    memory_free(steps);
    return run_newest_whole(t->folder, &t->checkpoint);
}

static Status find_named(Trainer *t) {
    TRY(run_resolve(t->config->resume, "last", &t->checkpoint));
    if (strcmp(t->checkpoint, t->config->resume) != 0)
        return memory_strdup(t->config->resume, &t->folder);
    const char *name = base_name(t->checkpoint); /* a file: its folder */
    if (name == t->checkpoint)
        return memory_strdup(".", &t->folder);
    return memory_format(&t->folder, "%.*s", (int)(name - t->checkpoint - 1), t->checkpoint);
}

static Status find(Trainer *t) {
    bool automatic = strcmp(t->config->resume, "auto") == 0;
    if (automatic)
        TRY(t->config->out[0] ? find_in_out(t) : find_auto(t));
    else
        TRY(find_named(t));
    if (t->checkpoint == NULL)
        return STATUS_OK;
    char *changes = NULL;
    TRY(read_options(t->config, t->checkpoint, &changes));
    log_info("resuming %s%s%s\n", t->checkpoint, changes[0] ? "; changed: " : "", changes);
    memory_free(changes);
    return STATUS_OK;
}

/* Rank 0 reads, all get options, state and network as text. */
Status trainer__find_resume(Trainer *t) {
    char *state = NULL;
    Status status = STATUS_OK;
    if (t->config->resume[0] == '\0')
        return STATUS_OK;
    if (dist_rank(t->dist) == 0) {
        status = find(t);
        Checkpoint *checkpoint = NULL;
        if (status == STATUS_OK && t->checkpoint)
            status = checkpoint_read(t->checkpoint, CHECKPOINT_OURS, &checkpoint);
        if (status == STATUS_OK && checkpoint)
            status = memory_strdup(checkpoint->state, &state);
        if (status == STATUS_OK && checkpoint)
            status = memory_strdup(checkpoint->model_config, &t->model_text);
        checkpoint_destroy(checkpoint);
    }
    TRY(dist_agree(t->dist, status));
    dist_broadcast(t->dist, t->config, sizeof *t->config);
    TRY(dist_broadcast_text(t->dist, &state));
    TRY(dist_broadcast_text(t->dist, &t->model_text));
    t->resuming = state != NULL;
    if (t->resuming)
        status = record_parse(state, "checkpoint", &t->saved);
    memory_free(state);
    return dist_agree(t->dist, status);
}

static Status restore_on_root(Trainer *t) {
    Checkpoint *checkpoint;
    Record record = make_record(t);
    TRY(checkpoint_read(t->checkpoint, CHECKPOINT_OURS, &checkpoint));
    Status status = record_restore(&record, checkpoint, t->checkpoint);
    checkpoint_destroy(checkpoint);
    return status;
}

static Status check_data(const Trainer *t) {
    if (strcmp(t->saved.fingerprint, t->setup.info->fingerprint) != 0)
        return status_fail(STATUS_FAILED,
                           "%s is not the data that the run was trained on. Give the same file with --data, or "
                           "start a new run with --init-from.",
                           t->setup.info->path);
    return history_from_json(t->history, t->saved.history, "checkpoint");
}

Status trainer__restore(Trainer *t) {
    TRY(dist_agree(t->dist, check_data(t)));
    TRY(dist_agree(t->dist, dist_rank(t->dist) == 0 ? restore_on_root(t) : STATUS_OK));
    dist_broadcast(t->dist, t->replica->weights, t->setup.graph->weight_count * sizeof(Real));
    for (size_t i = 0; i < t->optimizer->slot_count; i++)
        dist_broadcast(t->dist, t->optimizer->slots[i].slab, t->setup.graph->trained_count * sizeof(Real));
    t->state = t->saved.state;
    t->saved_step = t->state.step;
    if (strcmp(t->saved.environment, t->environment) != 0)
        log_warn("the run was computed by \"%s\", this is \"%s\": bits will differ from an undisturbed run",
                 t->saved.environment, t->environment);
    return STATUS_OK;
}
