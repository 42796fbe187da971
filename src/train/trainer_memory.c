/* SPDX-License-Identifier: Apache-2.0
 *
 * How much memory a run will take, kind by kind, before any of it is allocated; and how much it did take. */
#include "base/log.h"
#include "base/memory.h"
#include "train/freeze.h"
#include "train/trainer_internal.h"
#include <math.h>
#include <sys/stat.h>

/* Bytes that libraries take when they are first used: packed operands of OpenBLAS, chunks that HDF5 unpacks, MPI's
 * buffers.  4 to 16 MB were seen. */
static const double library_buffers = 10e6;

/* What is in memory when a rank has most. */
typedef struct Forecast {
    double program; /* with its libraries, and what has been allocated so far */
    double weights, gradients, optimizer, activations, data, checkpoint;
} Forecast;

static double whole(const Forecast *f) {
    return f->program + f->weights + f->gradients + f->optimizer + f->activations + f->data + f->checkpoint;
}

/* Of a split that is kept in memory as it is in the file. */
static double split_bytes(const Trainer *t, DatasetSplit split) {
    return t->features.node && t->features.of[split] ? 0 : (double)dataset_load_bytes(t->setup.data, split);
}

/* Batches that are prepared, and splits that are small enough to be kept in memory, or features.  Test data take the
 * place of the others when the training is over. */
static double data_bytes(const Trainer *t) {
    Dataset *data = t->setup.data;
    size_t test_count = t->setup.info->count[DATASET_TEST];
    LoaderOptions options = trainer__loader_options(t);
    double training =
        (double)loader_bytes(&options) + split_bytes(t, DATASET_TRAIN) + features_bytes(&t->features, &t->setup);
    double test = (double)evaluate_bytes(&t->setup, DATASET_TEST, sampler_whole(test_count)) +
                  (double)dataset_load_bytes(data, DATASET_TEST);
    if (t->val.count > 0)
        training += (double)evaluate_bytes(&t->setup, t->val_split, t->val);
    if (t->val.count > 0 && t->val_split != DATASET_TRAIN)
        training += split_bytes(t, t->val_split);
    return training > test ? training : test;
}

/* Bytes of the file that weights are read from; 0: none. */
static double source_bytes(const Trainer *t) {
    char *path = t->checkpoint;
    char given[CONFIG_PATH];
    struct stat about = {.st_size = 0};
    if (path == NULL && (t->config->init_from[0] == '\0' ||
                         run_resolve(config_path(t->config, "init-from", given), "best", &path) != STATUS_OK))
        return 0;
    if (stat(path, &about) != 0)
        about.st_size = 0;
    if (path != t->checkpoint)
        memory_free(path);
    return (double)about.st_size;
}

/* On rank 0 the image of the file while it is written; or, where weights are read, the file and its tensors, at a time
 * when there are no gradients yet. */
static double checkpoint_need(const Trainer *t, double gradients) {
    const Graph *graph = t->setup.graph;
    size_t slots = optimizer_slot_count(&t->config->optimizer);
    if (dist_rank(t->dist) != 0)
        return 0;
    size_t sets = t->config->average_weights > 0 ? 2 : 1; /* of weights */
    double image = (double)checkpoint_bytes(sets * graph->weight_count + slots * graph->trained_count,
                                            graph->param_count * (sets + slots));
    if (t->config->early_stop > 0 && !t->config->no_restore_best) /* best.h5 and its tensors, at the end */
        image *= 2;
    return fmax(image, 2 * source_bytes(t) - gradients);
}

static Forecast make_forecast(const Trainer *t) {
    const Graph *graph = t->setup.graph;
    GradSyncOptions sync = trainer__sync_options(t);
    size_t slots = optimizer_slot_count(&t->config->optimizer);
    size_t sets = t->config->average_weights > 0 ? 2 : 1;
    Forecast f = {.program = (double)memory_process().resident_bytes + library_buffers,
                  .weights = (double)(sets * graph->weight_count * sizeof(Real)),
                  .gradients = (double)gradsync_bytes(&sync, dist_ranks(t->dist), dist_nodes(t->dist)),
                  .optimizer = (double)(slots * graph->trained_count * sizeof(Real)),
                  .activations = (double)t->replica->arena_bytes,
                  .data = data_bytes(t)};
    f.checkpoint = checkpoint_need(t, f.gradients);
    return f;
}

/* "12.3 M" */
static const char *format_count(double value, char text[32]) {
    static const char *const units[] = {"", " k", " M", " G", " T"};
    size_t unit = 0;
    while (value >= 1000 && unit + 1 < sizeof units / sizeof *units) {
        value /= 1000;
        unit++;
    }
    snprintf(text, 32, "%.4g%s", value, units[unit]);
    return text;
}

/* *most = the memory at the most of all phases (--unfreeze), *epoch = from which on it is that much; 1: from the start.
 * The network's layers are as they were afterwards. */
static Status forecast_phases(Trainer *t, double *most, size_t *epoch) {
    Model *model = t->setup.model;
    bool *trainable, changed;
    Status status = STATUS_OK;
    *epoch = 1;
    TRY(memory_new(&trainable, model->layer_count, "network"));
    for (size_t l = 0; l < model->layer_count; l++)
        trainable[l] = model->layers[l].trainable;
    for (size_t next = 1; (next = freeze_next(t->config->unfreeze, next)) > 0;) {
        Trainer later = *t; /* the same but for what depends on the layers that are trained */
        later.setup.graph = NULL;
        later.replica = NULL;
        TRY_GOTO(freeze_thaw(model, t->config->unfreeze, next, &changed), done);
        status = setup_build_graph(&later.setup, t->config);
        if (status == STATUS_OK)
            status = trainer__prepare_plans(&later);
        if (status == STATUS_OK) {
            Forecast f = make_forecast(&later);
            if (whole(&f) > *most) {
                *most = whole(&f);
                *epoch = next;
            }
        }
        replica_destroy(later.replica);
        graph_destroy(later.setup.graph);
        TRY_GOTO(status, done);
    }
done:
    for (size_t l = 0; l < model->layer_count; l++)
        model->layers[l].trainable = trainable[l];
    memory_free(trainable);
    return status;
}

Status trainer__forecast(Trainer *t, char **text) {
    const Plan *plan = t->replica->plans[0];
    double forward = 0, training = 0;
    char forward_text[32], training_text[32], later[80] = "";
    for (size_t s = 0; s < plan->step_count; s++) {
        forward += op_flops(&plan->steps[s].op);
        training += op_flops(&plan->steps[s].op) + op_flops_backward(&plan->steps[s].op);
    }
    Forecast f = make_forecast(t);
    size_t epoch;
    double now = t->forecast = whole(&f);
    TRY(forecast_phases(t, &t->forecast, &epoch));
    if (epoch > 1)
        snprintf(later, sizeof later, "memory from epoch %zu on: %.1f MB\n", epoch, t->forecast / 1e6);
    return memory_format(text,
                         "memory of %s: %.1f MB = program and libraries %.1f\n"
                         "  + weights %.1f + gradients %.1f + optimizer %.1f\n"
                         "  + activations %.1f + data %.1f + checkpoint %.1f\n"
                         "%sarithmetic of an example: forward %sFLOP, training %sFLOP\n",
                         dist_ranks(t->dist) == 1 ? "the process" : "rank 0", now / 1e6, f.program / 1e6,
                         f.weights / 1e6, f.gradients / 1e6, f.optimizer / 1e6, f.activations / 1e6, f.data / 1e6,
                         f.checkpoint / 1e6, later, format_count(forward, forward_text),
                         format_count(training, training_text));
}

void trainer__report_memory(Trainer *t) {
    typedef struct Peak {
        double bytes, forecast;
    } Peak;
    size_t ranks = (size_t)dist_ranks(t->dist), most = 0;
    size_t slabs = t->sync ? gradsync_foreign_bytes(t->sync) : 0;
    double foreign = (double)(slabs + t->features.foreign); /* counted by their rank */
    Peak peaks[ranks], mine = {(double)memory_process().peak_bytes - foreign, t->forecast};
    dist_gather_all(t->dist, &mine, sizeof mine, peaks, sizeof peaks);
    for (size_t r = 1; r < ranks; r++)
        if (peaks[r].bytes > peaks[most].bytes)
            most = r;
    log_info("memory: %.1f MB at most, on rank %zu; forecast %.1f MB\n", peaks[most].bytes / 1e6, most,
             peaks[most].forecast / 1e6);
}
