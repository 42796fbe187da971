/* SPDX-License-Identifier: Apache-2.0
 *
 * What a run goes on from. */
#include "base/log.h"
#include "base/memory.h"
#include "train/trainer_internal.h"
#include <string.h>
#include <sys/stat.h>

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

/* The options recorded in the checkpoint `path`, and what it says of files that they name; the caller frees *files. */
static Status read_options(const char *path, Config *saved, char **files) {
    Checkpoint *checkpoint;
    RecordState state = {0};
    *files = NULL;
    TRY(checkpoint_read(path, CHECKPOINT_OURS, &checkpoint));
    Status status = record_parse(checkpoint->state, path, &state);
    *saved = state.config;
    *files = state.files;
    state.files = NULL;
    record_free(&state);
    checkpoint_destroy(checkpoint);
    return status;
}

/* Holds t->folder from before its newest checkpoint is looked for, so that no other job, an older one of this run that
 * is still ending, goes on in it meanwhile.  Only a folder that holds checkpoints; a dry run changes nothing. */
static Status hold(Trainer *t) {
    char(*names)[RUN_NAME];
    size_t count;
    if (t->config->dry_run || t->config->lr_find || t->config->prove[0])
        return STATUS_OK;
    TRY(run_checkpoints(t->folder, &names, &count));
    memory_free(names);
    return count > 0 ? run_open(t->folder, &t->run) : STATUS_OK;
}

/* Is the run in `folder` an unfinished one that a new run with the options `asked` would be? */
static bool is_asked_for(const Trainer *t, const char *folder, Config *asked) {
    Config saved;
    char *newest, *files = NULL;
    if (run_is_finished(folder) || run_newest_whole(folder, &newest) != STATUS_OK)
        return false;
    bool good = read_options(newest, &saved, &files) == STATUS_OK &&
                record_files_compare(t->config, &saved, files, newest) == STATUS_OK;
    memory_free(newest);
    memory_free(files);
    if (good && !config_given(t->config, "micro-batches")) /* the ranks of this job say nothing of them */
        asked->micro_batches = saved.micro_batches;
    return good && config_same(asked, &saved);
}

/* --resume auto without --out: the unfinished run of the highest number whose options a new run would have, too. */
static Status find_auto(Trainer *t) {
    char *base = NULL;
    uint64_t *numbers = NULL;
    size_t count = 0;
    Status status;
    Config asked = *t->config;
    if (asked.with_optimizer)
        TRY_GOTO(trainer__read_optimizer(&asked), done);
    TRY_GOTO(trainer__fill(&asked), done);
    TRY_GOTO(trainer__base(t->config, &base), done);
    TRY_GOTO(run_numbers(base, &numbers, &count), done);
    for (size_t i = 0; i < count && t->folder == NULL; i++) {
        TRY_GOTO(memory_format(&t->folder, "%s-%llu", base, (unsigned long long)numbers[i]), done);
        if (is_asked_for(t, t->folder, &asked))
            continue;
        memory_free(t->folder);
        t->folder = NULL;
    }
    if (t->folder == NULL)
        goto done;
    TRY_GOTO(hold(t), done);
    status = run_newest_whole(t->folder, &t->checkpoint);
done:
    memory_free(base);
    memory_free(numbers);
    return status;
}

/* --resume auto --out FOLDER: that folder's run, or a new one in it.  Held even where nothing is there yet: of two such
 * jobs at once one makes the run, and the other waits, and then finds it. */
static Status find_in_out(Trainer *t) {
    char(*names)[RUN_NAME];
    size_t count;
    TRY(memory_strdup(t->config->out, &t->folder));
    if (!t->config->dry_run)
        TRY(run_enter(t->folder, &t->run));
    TRY(run_checkpoints(t->folder, &names, &count));
    memory_free(names);
    return count > 0 ? run_newest_whole(t->folder, &t->checkpoint) : STATUS_OK;
}

static Status find_named(Trainer *t) {
    const char *given = t->config->resume, *name;
    struct stat about;
    Config saved;
    char *files;
    if (stat(given, &about) == 0 && S_ISDIR(about.st_mode)) {
        TRY(memory_strdup(given, &t->folder));
        TRY(hold(t));
        return run_newest_whole(given, &t->checkpoint);
    }
    TRY(run_resolve(given, "last", &t->checkpoint));
    TRY(read_options(given, &saved, &files)); /* before a lock is laid beside a file that is none of ours */
    memory_free(files);
    name = base_name(given);
    if (name == given)
        TRY(memory_strdup(".", &t->folder));
    else
        TRY(memory_format(&t->folder, "%.*s", (int)(name - given - 1), given));
    return hold(t);
}

static Status find(Trainer *t) {
    bool automatic = strcmp(t->config->resume, "auto") == 0;
    if (automatic)
        TRY(t->config->out[0] ? find_in_out(t) : find_auto(t));
    else
        TRY(find_named(t));
    if (t->checkpoint == NULL)
        return STATUS_OK;
    Config saved;
    char *changes = NULL;
    TRY(read_options(t->checkpoint, &saved, &t->files));
    TRY(record_files_compare(t->config, &saved, t->files, t->checkpoint));
    TRY(config_resume(t->config, &saved, t->checkpoint, &changes));
    log_info("resuming %s%s%s\n", t->checkpoint, changes[0] ? "; changed: " : "", changes);
    memory_free(changes);
    return STATUS_OK;
}

/* Rank 0 reads, all get options, state and network as text. */
Status trainer__find_resume(Trainer *t) {
    char *state = NULL;
    Status status = STATUS_OK;
    bool proves = t->config->prove[0];
    if (t->config->resume[0] == '\0' && !proves)
        return STATUS_OK;
    if (dist_rank(t->dist) == 0) {
        status = proves ? trainer__find_proof(t) : find(t);
        Checkpoint *checkpoint = NULL;
        if (status == STATUS_OK && t->checkpoint)
            status = checkpoint_read(t->checkpoint, CHECKPOINT_OURS, &checkpoint);
        if (status == STATUS_OK && checkpoint)
            status = memory_strdup(checkpoint->state, &state);
        if (status == STATUS_OK && checkpoint)
            status = memory_strdup(checkpoint->model_config, &t->model_text);
        if (status == STATUS_OK && checkpoint && checkpoint->preprocess)
            status = memory_strdup(checkpoint->preprocess, &t->file_preprocess);
        checkpoint_destroy(checkpoint);
    }
    TRY(dist_agree(t->dist, status));
    dist_broadcast(t->dist, t->config, sizeof *t->config);
    TRY(dist_broadcast_text(t->dist, &state));
    TRY(dist_broadcast_text(t->dist, &t->model_text));
    TRY(dist_broadcast_text(t->dist, &t->file_preprocess));
    t->resuming = state != NULL;
    if (t->resuming)
        status = record_parse(state, "checkpoint", &t->saved);
    memory_free(state);
    return dist_agree(t->dist, status);
}

static Status restore_on_root(Trainer *t) {
    Checkpoint *checkpoint;
    Record record = trainer__record(t);
    TRY(checkpoint_read(t->checkpoint, CHECKPOINT_OURS, &checkpoint));
    Status status = record_restore(&record, checkpoint, t->checkpoint);
    checkpoint_destroy(checkpoint);
    return status;
}

static Status load_on_root(Trainer *t, const char *name) {
    Checkpoint *checkpoint = NULL;
    char *path;
    size_t loaded;
    TRY(memory_format(&path, "%s/%s", run_folder(t->run), name));
    Status status = checkpoint_read(path, CHECKPOINT_OURS, &checkpoint);
    if (status == STATUS_OK)
        status = record_load_weights(t->setup.model, t->setup.graph, t->replica->weights, checkpoint, path, &loaded);
    checkpoint_destroy(checkpoint);
    memory_free(path);
    return status;
}

Status trainer__load(Trainer *t, const char *name) {
    TRY(dist_agree(t->dist, dist_rank(t->dist) == 0 ? load_on_root(t, name) : STATUS_OK));
    trainer__broadcast(t);
    average_start(t->average, t->replica->weights); /* what a checkpoint holds is the average */
    return STATUS_OK;
}

Status trainer__check_data(const Trainer *t) {
    const char *before = t->saved.fingerprint, *now = t->setup.info->fingerprint;
    if (!t->resuming || strcmp(before, now) == 0)
        return STATUS_OK;
    return status_fail(STATUS_FAILED,
                       "%s is not the data that the run was trained on: its fingerprint is %.12s..., that of the run's "
                       "data %.12s... (cnn_inspect shows it). Give the same data with --data, or start a new run with "
                       "--init-from.",
                       t->setup.info->path, now, before);
}

Status trainer__check_content(Trainer *t) {
    const Dataset *data = t->setup.data;
    char first[DATASET_CONTENT];
    dataset_content(data, t->content);
    memcpy(first, t->content, sizeof first);
    dist_broadcast(t->dist, first, sizeof first);
    DatasetSplit split = dataset_differs(data, first);
    if (split != DATASET_SPLITS)
        return status_fail(STATUS_FAILED,
                           "%s holds other examples of %s here than on rank 0. Copy the same file to all nodes.",
                           t->setup.info->path, dataset_split_names[split]);
    split = t->resuming ? dataset_differs(data, t->saved.content) : DATASET_SPLITS;
    if (split != DATASET_SPLITS)
        return status_fail(
            STATUS_FAILED,
            "%s is not the data that the run was trained on: examples of %s have changed. Give the same data with "
            "--data, or start a new run with --init-from.",
            t->setup.info->path, dataset_split_names[split]);
    if (t->resuming && dist_rank(t->dist) == 0 && dataset_written_since(data, t->saved.content))
        log_warn(
            "%s was written, or copied, after the run had begun: its labels and 64 examples of each part are those of "
            "the run; the others, which do not fit into memory, are not compared",
            t->setup.info->path);
    return STATUS_OK;
}

static Status restore_metrics(const Trainer *t) {
    return t->setup.metrics && dist_rank(t->dist) == 0
               ? metrics_from_json(t->setup.metrics, t->saved.metrics, "checkpoint")
               : STATUS_OK;
}

void trainer__broadcast(Trainer *t) {
    dist_broadcast(t->dist, t->replica->weights, t->setup.graph->weight_count * sizeof(Real));
    for (size_t i = 0; i < t->optimizer->slot_count; i++)
        dist_broadcast(t->dist, t->optimizer->slots[i].slab, t->setup.graph->trained_count * sizeof(Real));
    if (t->average)
        dist_broadcast(t->dist, t->average->slab, t->average->count * sizeof(Real));
}

Status trainer__restore(Trainer *t) {
    TRY(dist_agree(t->dist, restore_metrics(t)));
    TRY(dist_agree(t->dist, dist_rank(t->dist) == 0 ? restore_on_root(t) : STATUS_OK));
    trainer__broadcast(t);
    t->state = t->saved.state;
    t->saved_step = t->state.step;
    if (strcmp(t->saved.environment, t->environment) != 0)
        log_warn("the run was computed by \"%s\", this is \"%s\": bits will differ from an undisturbed run",
                 t->saved.environment, t->environment);
    return STATUS_OK;
}
