/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/select.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/file.h"
#include "model/zoo/zoo.h"
#include "train/class_weights.h"
#include "train/rates.h"
#include "train/signals.h"
#include "train/summary.h"
#include "train/trainer_internal.h"
#include "train/watchdog.h"
#include <math.h>
#include <string.h>

/* ---- options ----------------------------------------------------------------------------------------------------- */

static Status complete_config(Config *config) {
    /* the run says what the network is */
    bool resume_named = config->prove[0] || (config->resume[0] && strcmp(config->resume, "auto") != 0);
    if (resume_named && config->out[0])
        return status_fail(STATUS_USAGE, "--resume goes on in the run's own folder: leave --out away");
    if (config->model[0] == '\0' && config->init_from[0] == '\0' && !resume_named)
        TRY(config_set(config, "model", "digits-net", SOURCE_DEFAULT));
    return backend_check_name(config->backend[0] ? config->backend : NULL);
}

Status trainer__fill(Config *config) {
    const ZooEntry *entry = zoo_find(config->model);
    const ZooRecipe *recipe = entry ? entry->recipe : NULL;
    if (recipe && config->init_from[0]) { /* a recipe is for training from scratch */
        if (recipe->loss_weights)
            TRY(config_set(config, "loss-weights", recipe->loss_weights, SOURCE_RECIPE));
        recipe = NULL;
    }
    return config_fill(config, recipe);
}

/* A run that has done all epochs that are asked for, or more. */
static Status end_at_once(Trainer *t) {
    size_t done = (size_t)t->saved.state.epoch, asked = t->config->epochs;
    char what[96];
    snprintf(what, sizeof what, done > asked ? "%zu epochs, and --epochs asks for %zu" : "its %zu epochs", done, asked);
    TRY(trainer__complete_metrics(t));
    if (strcmp(t->config->resume, "auto") != 0)
        return status_fail(STATUS_FAILED,
                           "the run has done %s: nothing to resume. To train on, give --epochs with a larger number.",
                           what);
    log_info("the run has done %s: nothing left to do\n", what);
    return STATUS_OK;
}

static Status fill_config(Trainer *t) {
    TRY(trainer__fill(t->config));
    t->schedule = config_schedule(t->config);
    TRY(replicas_parse(t->config->check_replicas, &t->checks));
    if (t->config->micro_batches == 0)
        t->config->micro_batches = (size_t)dist_ranks(t->dist);
    if ((size_t)dist_ranks(t->dist) > t->config->micro_batches)
        return status_fail(
            STATUS_USAGE,
            "%d ranks, but a step is cut into %zu micro-batches: some ranks would have no work. Start at most "
            "%zu ranks, or give --micro-batches %d%s.",
            dist_ranks(t->dist), t->config->micro_batches, t->config->micro_batches, dist_ranks(t->dist),
            t->resuming ? " (bits then differ from the run so far)" : "");
    t->nothing_left = t->resuming && t->saved.state.epoch >= t->config->epochs;
    return t->nothing_left ? end_at_once(t) : STATUS_OK;
}

/* ---- data -------------------------------------------------------------------------------------------------------- */

static Status divide_data(Trainer *t) {
    const DatasetInfo *info = t->setup.info;
    const Config *config = t->config;
    if (info->count[DATASET_TRAIN] == 0)
        return status_fail(STATUS_FAILED, "%s has no training data (group train)", info->path);
    t->train = sampler_whole(info->count[DATASET_TRAIN]);
    t->val = sampler_whole(info->count[DATASET_VAL]);
    t->val_split = DATASET_VAL;
    if (config->validation_split > 0) {
        if (info->count[DATASET_VAL] > 0)
            return status_fail(STATUS_USAGE, "%s has validation data of its own: leave --validation-split away",
                               info->path);
        t->train = sampler_training_part(info->count[DATASET_TRAIN], config->validation_split, config->seed);
        t->val = sampler_validation_part(info->count[DATASET_TRAIN], config->validation_split, config->seed);
        t->val_split = DATASET_TRAIN;
    }
    t->steps_per_epoch = sampler_steps(t->train.count, config->batch_size);
    TRY(trainer__preprocess(t));
    TRY(augmentation_create(&t->setup, config->augment, config->seed, &t->augment));
    augmentation_say(config->augment, &t->augment);
    return preprocess_to_json(&t->setup.preprocess, info->class_names, info->class_name_count,
                              &t->setup.preprocess_json);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static Status choose_features(Trainer *t) {
    const Config *config = t->config;
    const char *varying = t->augment.count > 0 ? "augment"
                          : config->mixup > 0  ? "mixup"
                          : config->cutmix > 0 ? "cutmix"
                                               : NULL;
    bool validates = t->val_split == DATASET_VAL && t->val.count > 0;
    return features_choose(config, &t->setup, validates, varying, &t->features);
}

Status trainer__prepare_plans(Trainer *t) {
    const Config *config = t->config;
    size_t batches[2] = {sampler_batch(t->train.count, config->batch_size, 0),
                         sampler_batch(t->train.count, config->batch_size, t->steps_per_epoch - 1)};
    PlanOptions options = {.backend = config->backend[0] ? config->backend : NULL,
                           .winograd = (Winograd)config->winograd};
    TRY(choose_features(t));
    PlanPart part = trainer__part(t);
    TRY(replica_create(t->setup.graph, options, &t->replica));
    for (size_t i = 0; i < 4; i++) { /* the first micro-batch is a largest one, the last a smallest */
        size_t number = i % 2 ? config->micro_batches - 1 : 0;
        SamplerPart micro = sampler_micro_batch(batches[i / 2], config->micro_batches, number);
        TRY(replica_prepare_part(t->replica, PASS_TRAIN, (size_t)micro.count, part));
    }
    TRY(evaluate_prepare_part(t->replica, PASS_EVALUATE, t->val.count, part));
    TRY(features_prepare(&t->features, &t->setup, t->replica));
    return evaluate_prepare(t->replica, t->setup.info->count[DATASET_TEST]);
}

GradSyncOptions trainer__sync_options(const Trainer *t) {
    return (GradSyncOptions){.count = t->setup.graph->gradient_count + FLAG_COUNT,
                             .micro_batches = t->config->micro_batches,
                             .mode = t->config->reduce == REDUCE_MPI ? GRADSYNC_MPI : GRADSYNC_TREE};
}

static Status show_summary(Trainer *t) {
    const Graph *graph = t->setup.graph;
    const Config *c = t->config;
    char *notes, *text;
    TRY(trainer__forecast(t, &notes));
    Status status = summary_format(graph, t->setup.model->name, notes, &text);
    memory_free(notes);
    TRY(status);
    log_info("%s", text);
    memory_free(text);
    if (log_level() == LOG_VERBOSE)
        for (size_t s = 0; s < t->replica->plans[0]->step_count; s++) {
            const PlanStep *step = &t->replica->plans[0]->steps[s];
            log_verbose("  %-28s %-18s %s\n", graph->nodes[step->node].layer, op_name(step->op.kind),
                        step->backend->name);
        }
    log_info("data: %s: %llu training, %llu validation, %zu test examples\n", t->setup.info->path,
             (unsigned long long)t->train.count, (unsigned long long)t->val.count, t->setup.info->count[DATASET_TEST]);
    log_info("ranks %d on %d node%s, micro-batches %zu, batch size %zu, %llu step%s per epoch; %s\n",
             dist_ranks(t->dist), dist_nodes(t->dist), dist_nodes(t->dist) == 1 ? "" : "s", c->micro_batches,
             c->batch_size, (unsigned long long)t->steps_per_epoch, t->steps_per_epoch == 1 ? "" : "s", t->environment);
    if (c->scale_lr > 0)
        log_info("learning rate %g = %g * %zu / %zu\n", t->schedule.lr, c->schedule.lr, c->batch_size, c->scale_lr);
    trainer__say_rate(t);
    return trainer__warn(t);
}

static Status allocate(Trainer *t) {
    TRY(replica_ready(t->replica));
    TRY(optimizer_create(&t->config->optimizer, t->setup.graph, t->multipliers, &t->optimizer));
    return average_create(t->setup.graph, t->config->average_weights, &t->average);
}

LoaderOptions trainer__loader_options(const Trainer *t) {
    SamplerPart part = sampler_share(t->config->micro_batches, (size_t)dist_ranks(t->dist), (size_t)dist_rank(t->dist));
    bool epoch_over = t->state.batch == t->steps_per_epoch; /* stopped between the last step and the validation */
    return (LoaderOptions){.dataset = t->setup.data,
                           .split = DATASET_TRAIN,
                           .view = t->train,
                           .preprocess = &t->setup.preprocess,
                           .targets = &t->setup.targets,
                           .first_unit = part.first,
                           .units = part.count,
                           .augment = t->augment.count > 0 ? &t->augment : NULL,
                           .order = {.shuffle = !t->config->no_shuffle, .seed = t->config->seed},
                           .batch_size = t->config->batch_size,
                           .micro_batches = t->config->micro_batches,
                           .epoch = t->state.epoch + epoch_over,
                           .step = epoch_over ? 0 : t->state.batch};
}

Status trainer__open_loaders(Trainer *t) {
    LoaderOptions options = trainer__loader_options(t);
    if (t->val.count) {
        TRY(evaluate_create(&t->setup, t->val_split, t->val, &t->validation));
        t->validation->part = trainer__part(t);
    }
    return loader_create(&options, &t->loader);
}

/* ---- profile, run folder ----------------------------------------------------------------------------------------- */

static Status open_profile(Trainer *t) {
    size_t largest =
        sampler_micro_batch(sampler_batch(t->train.count, t->config->batch_size, 0), t->config->micro_batches, 0).count;
    if (t->config->profile[0] == '\0')
        return STATUS_OK;
    Plan *plan = replica_plan_part(t->replica, PASS_TRAIN, largest, trainer__part(t));
    return profile_create(t->dist, t->config->profile, plan, gradsync_last(t->sync) - gradsync_first(t->sync),
                          t->config->epochs * t->steps_per_epoch - t->state.step, &t->profile);
}

/* Did a run in the folder end before its first checkpoint?  Then it has left its options; without them, files of such
 * names are not ours to remove. */
static bool has_begun(const Run *run) {
    static Config config;
    unsigned char *text;
    size_t size;
    char *path;
    bool begun = false;
    if (memory_format(&path, "%s/" RUN_CONFIG, run_folder(run)) != STATUS_OK)
        return false;
    if (file_read(path, &text, &size) == STATUS_OK) {
        begun = config_from_json(&config, (char *)text, path, SOURCE_FILE) == STATUS_OK;
        memory_free(text);
    }
    memory_free(path);
    return begun;
}

static Status make_folder(Trainer *t, const char *folder, const char *base) {
    bool overwrite = t->config->overwrite;
    if (t->run) /* --resume auto --out, without a checkpoint */
        return run_clear(t->run, overwrite || has_begun(t->run));
    return run_create(folder, base, overwrite, &t->run);
}

static Status open_folder(Trainer *t) {
    char *base = NULL, *json = NULL, *path = NULL;
    const char *folder = t->folder ? t->folder : t->config->out[0] ? t->config->out : NULL;
    Status status;
    TRY_GOTO(trainer__base(t->config, &base), done);
    if (t->resuming) {
        if (t->run == NULL)
            TRY_GOTO(run_open(folder, &t->run), done);
        TRY_GOTO(trainer__restore_best(t), done);
        TRY_GOTO(run_set_aside(t->run, t->state.step), done);
    } else {
        TRY_GOTO(record_files(t->config, &t->files), done); /* they may be files of the run that is replaced */
        TRY_GOTO(make_folder(t, folder, base), done);
    }
    config_settle(t->config);
    TRY_GOTO(config_to_json(t->config, &json), done);
    TRY_GOTO(run_write_text(t->run, RUN_CONFIG, json), done);
    TRY_GOTO(memory_format(&path, "%s/%s", run_folder(t->run), RUN_METRICS), done);
    TRY_GOTO(history_open(t->history, path), done);
    trainer__open_board(t);
    TRY_GOTO(checkpoint_writer_create(&t->writer), done);
    log_info("run folder: %s\n", run_folder(t->run));
done:
    memory_free(base);
    memory_free(json);
    memory_free(path);
    return status;
}

/* --dry-run: the folder that this command would write now.  launch/ asks for it. */
static Status say_folder(const Trainer *t) {
    const char *given = t->folder ? t->folder : t->config->out;
    char *base;
    uint64_t *numbers;
    size_t count;
    if (given[0]) {
        log_info("run folder: %s\n", given);
        return STATUS_OK;
    }
    TRY(trainer__base(t->config, &base));
    Status status = run_numbers(base, &numbers, &count);
    if (status == STATUS_OK)
        log_info("run folder: %s-%llu\n", base, (unsigned long long)(count > 0 ? numbers[0] : 0) + 1);
    memory_free(numbers);
    memory_free(base);
    return status;
}

/* Replicas stay equal only where the same code computes on the same kind of CPU. */
static void compare_environments(Trainer *t) {
    char first[sizeof t->environment];
    backend_describe(t->environment, sizeof t->environment);
    memcpy(first, t->environment, sizeof first);
    dist_broadcast(t->dist, first, sizeof first);
    t->unlike = dist_max_int(t->dist, strcmp(first, t->environment) != 0);
    if (t->unlike)
        log_warn(
            "the ranks compute differently (rank 0: %s): replicas will drift apart, and are not compared. Use nodes "
            "of one kind.",
            first);
}

/* Of a network with weights there may be layers, such as Reshape, that go by the size that it was made for. */
static Status build_graph(Trainer *t) {
    Status status = setup_build_graph(&t->setup, t->config);
    if (status == STATUS_OK || t->made_for[0] == '\0')
        return status;
    return status_fail(status, "%s. The network of --init-from was made for %s: bring the data to that size (%s).",
                       status_message(), t->made_for,
                       t->setup.info->is_encoded ? "--size" : "--size of cnn_import, or a Resizing layer in front");
}

static Status check_trained(const Trainer *t) {
    if (t->setup.graph->trained_count > 0)
        return STATUS_OK;
    return status_fail(STATUS_USAGE,
                       "all layers of network %s are frozen: nothing is left to train. Freeze less, or "
                       "--unfreeze LAYER@1.",
                       t->setup.model->name);
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

/* The first to start, with the default as long as a run that is resumed may know better. */
static Status start_watching(Trainer *t) {
    const Option *option = cli_find(config_program(), "stall-timeout");
    TRY(config_set(t->config, option->name, option->fallback, SOURCE_DEFAULT));
    return watchdog_start(t->dist, t->config->stall_timeout);
}

/* Once the run is open its options count, but rank 0 may have to wait for the folder's lock before, and all for rank
 * 0. */
static void watch_opening(const Trainer *t) {
    double timeout = t->config->stall_timeout;
    watchdog_set(timeout > 0 ? fmax(timeout, 2 * RUN_LOCK_WAIT) : 0);
}

/* Before there is anything to save. */
static Status stop_if_asked(const Trainer *t) {
    return dist_agree(t->dist, signals_stop_requested() ? status_fail(STATUS_STOPPED, "%s", "") : STATUS_OK);
}

Status trainer__open(Trainer *t, bool *finished) {
    Dist *dist = t->dist;
    TRY(start_watching(t));
    t->setup.dist = dist;
    t->saved_step = UINT64_MAX;
    compare_environments(t);
    TRY(dist_agree(dist, complete_config(t->config)));
    TRY(trainer__find_resume(t));
    if (t->config->dry_run)
        TRY(dist_agree(dist, dist_rank(dist) == 0 ? say_folder(t) : STATUS_OK));
    TRY(trainer__read_model(t));
    TRY(trainer__open_data(t));
    TRY(dist_agree(dist, trainer__check_data(t)));
    TRY(stop_if_asked(t));
    TRY(trainer__open_model(t));
    TRY(trainer__take_optimizer(t));
    TRY(dist_agree(dist, fill_config(t)));
    watch_opening(t);
    *finished = t->nothing_left;
    if (*finished)
        return STATUS_OK;
    TRY(dist_agree(dist, divide_data(t)));
    TRY(dist_agree(dist, build_graph(t)));
    TRY(dist_agree(dist, check_trained(t)));
    TRY(dist_agree(dist, class_weights_set(&t->setup, t->config, &t->train)));
    TRY(dist_agree(dist, rates_multipliers(t->config, t->setup.graph, &t->multipliers)));
    TRY(dist_agree(dist, trainer__open_history(t)));
    *finished = t->nothing_left;
    if (*finished)
        return STATUS_OK;
    TRY(dist_agree(dist, trainer__prepare_plans(t)));
    TRY(dist_agree(dist, show_summary(t)));
    features_say(&t->features, t->config, &t->setup);
    *finished = t->config->dry_run;
    if (*finished)
        return trainer__load_initial(t);
    TRY(dist_agree(dist, allocate(t)));
    TRY(trainer__start_weights(t)); /* a checkpoint is in memory for a moment: before there are gradient slabs */
    TRY(features_make(&t->features, &t->setup, t->replica));
    GradSyncOptions sync = trainer__sync_options(t);
    TRY(gradsync_create(dist, &sync, &t->sync));
    TRY(dist_agree(dist, trainer__open_loaders(t)));
    TRY(dist_agree(dist, trainer__check_content(t)));
    TRY(open_profile(t));
    TRY(stop_if_asked(t));
    TRY(dist_agree(dist,
                   dist_rank(dist) == 0 && !t->config->lr_find && !t->config->prove[0] ? open_folder(t) : STATUS_OK));
    watchdog_set(t->config->stall_timeout);
    dist_broadcast(dist, &t->state, sizeof t->state); /* of the best epoch */
    return dist_agree(dist, log_level() == LOG_VERBOSE ? step_times_create(&t->step_times) : STATUS_OK);
}

void trainer__close(Trainer *t) {
    step_times_destroy(&t->step_times);
    loader_destroy(t->loader);
    evaluate_destroy(t->validation);
    gradsync_destroy(t->sync);
    profile_destroy(t->profile);
    board_close(t->board);
    optimizer_destroy(t->optimizer);
    features_drop(&t->features, &t->setup);
    average_destroy(t->average);
    memory_free(t->multipliers);
    replica_destroy(t->replica);
    history_destroy(t->history);
    checkpoint_writer_destroy(t->writer);
    run_close(t->run);
    setup_close(&t->setup);
    record_free(&t->saved);
    memory_free(t->model_text);
    memory_free(t->file_preprocess);
    memory_free(t->parts);
    memory_free(t->checkpoint);
    memory_free(t->proof);
    memory_free(t->folder);
    memory_free(t->files);
}
