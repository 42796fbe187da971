/* SPDX-License-Identifier: Apache-2.0
 *
 * cnn_evaluate: loss, accuracy and metrics of a run or a checkpoint on a split of a dataset, the same on any number of ranks. */
#include "backend/select.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/run.h"
#include "train/cli.h"
#include "train/evaluate.h"
#include "train/program.h"
#include "train/record.h"
#include "train/verify.h"
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Arguments {
    char run[CLI_TEXT], data[CLI_TEXT], checkpoint[CLI_TEXT], preprocess[CLI_TEXT], loss[CLI_TEXT], backend[CLI_TEXT],
        metrics[CLI_TEXT];
    char verify_pairs[CLI_TEXT], layer[CLI_TEXT];
    size_t seed;
    int split; /* DatasetSplit */
    bool json;
} Arguments;

#define TEXT(field, shown) OPTION_TEXT, .offset = offsetof(Arguments, field), .argument = shown
static const Option options[] = {
    {.name = "run",
     .type = TEXT(run, "RUN"),
     .positional = true,
     .required = true,
     .help = "run folder, checkpoint or Keras .h5 file"},
    {.name = "data", .key = 'd', .type = TEXT(data, "FILE"), .help = "dataset; the run's own when not given"},
    {.name = "split",
     .key = 's',
     .type = OPTION_CHOICE,
     .offset = offsetof(Arguments, split),
     .argument = "SPLIT",
     .choices = dataset_split_names,
     .fallback = "test",
     .help = "which examples"},
    {.name = "checkpoint",
     .key = 'c',
     .type = TEXT(checkpoint, "WHICH"),
     .fallback = "best",
     .help = "of a run folder: best, final, last or a step number"},
    {.name = "loss", .type = TEXT(loss, "KIND"), .help = "as in cnn_train; the run's own when not given"},
    {.name = "metrics",
     .type = TEXT(metrics, "LIST"),
     .repeated = true,
     .help = "what to print beside loss and accuracy, as in cnn_train; the run's own when not given"},
    {.name = "preprocess",
     .type = TEXT(preprocess, "KIND"),
     .choices = preprocess_names,
     .help = "as in cnn_train; the run's own when not given"},
    {.name = "verify-pairs",
     .type = TEXT(verify_pairs, "PAIRS"),
     .help =
         "instead: are two examples of one kind?  By the cosine of their embeddings, for pairs of a file (row_a,row_b,"
         "same a line), or for so many drawn ones: accuracy (best threshold of the other 9 of 10 folds), ROC AUC, "
         "equal error rate"},
    {.name = "layer",
     .type = TEXT(layer, "NAME"),
     .help =
         "--verify-pairs: the layer that gives the embeddings; what the classifier reads, else the output, when not "
         "given"},
    {.name = "seed",
     .type = OPTION_SIZE,
     .offset = offsetof(Arguments, seed),
     .argument = "N",
     .fallback = "0",
     .help = "--verify-pairs: of the drawn pairs"},
    {.name = "backend", .type = TEXT(backend, "NAME"), .fallback = "auto", .help = "which library computes"},
    {.name = "json", .type = OPTION_FLAG, .offset = offsetof(Arguments, json), .help = "print one JSON object"},
};
static const CliProgram program = {
    .name = "cnn_evaluate",
    .summary = "Loss, accuracy and metrics of a trained network on a split of a dataset.",
    .examples = "Examples:\n  cnn_evaluate run1\n  mpirun -np 8 cnn_evaluate run1 --data mnist.h5 --split val --json",
    .options = options,
    .option_count = sizeof options / sizeof *options,
};

/* What rank 0 reads from the checkpoint, as text for all. */
typedef struct Texts {
    char *model, *state, *preprocess;
} Texts;

static Status copy_text(const char *text, char **out) {
    return text ? memory_strdup(text, out) : STATUS_OK;
}

static Status read_file(const Arguments *arguments, char **path, Checkpoint **checkpoint, Texts *texts) {
    TRY(run_resolve(arguments->run, arguments->checkpoint, path));
    TRY(checkpoint_read(*path, CHECKPOINT_ANY, checkpoint));
    if ((*checkpoint)->model_config == NULL)
        return status_fail(STATUS_FAILED, "%s holds weights only, no network", *path);
    TRY(record_network(*checkpoint, *path, &texts->model));
    TRY(copy_text((*checkpoint)->state, &texts->state));
    return copy_text((*checkpoint)->preprocess, &texts->preprocess);
}

/* Data and loss: the command line's, else the run's. */
static Status choose_options(const Arguments *arguments, const Texts *texts, Config *config) {
    RecordState saved = {0};
    if (texts->state) {
        TRY(record_parse(texts->state, arguments->run, &saved));
        *config = saved.config;
        record_free(&saved);
    }
    TRY(config_fill(config, NULL));
    if (arguments->loss[0])
        memcpy(config->loss, arguments->loss, sizeof config->loss);
    if (arguments->metrics[0])
        memcpy(config->metrics, arguments->metrics, sizeof config->metrics);
    if (arguments->data[0])
        memcpy(config->data, arguments->data, sizeof config->data);
    return STATUS_OK;
}

static Status choose_preprocess(const Arguments *arguments, const Texts *texts, Setup *setup) {
    if (texts->preprocess == NULL || arguments->preprocess[0])
        return setup_preprocess(setup, arguments->preprocess, NULL);
    char **class_names;
    size_t class_count;
    TRY(preprocess_from_json(texts->preprocess, &setup->preprocess, &class_names, &class_count));
    memory_free(class_names);
    return STATUS_OK;
}

static json_t *number_or_null(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static Status print(const Setup *setup, const Evaluation *e, const Arguments *arguments, const char *path,
                    const Totals *totals) {
    double loss = totals_loss(totals, setup->loss_weights, setup->graph->loss_count);
    double accuracy = totals_accuracy(totals, 0);
    if (arguments->json) {
        json_t *json = json_pack("{s:s, s:s, s:s, s:f, s:o, s:I}", "checkpoint", path, "data", setup->info->path,
                                 "split", dataset_split_names[arguments->split], "loss", loss, "accuracy",
                                 number_or_null(accuracy), "examples", (json_int_t)totals->examples);
        for (size_t i = 0; json && e->metrics && i < e->metrics->count; i++)
            json_object_set_new(json, e->metrics->items[i].name, number_or_null(e->values[i]));
        char *text = json ? json_dumps(json, JSON_PRESERVE_ORDER) : NULL;
        json_decref(json);
        if (text == NULL)
            return status_fail(STATUS_FAILED, "the loss is not a number");
        log_info("%s\n", text);
        free(text);
        return log_check_output();
    }
    evaluate_print(e, dataset_split_names[arguments->split], totals);
    return log_check_output();
}

/* Everything that needs memory given back afterwards. */
typedef struct Work {
    Setup setup;
    Replica *replica;
    Evaluation *evaluation;
    Checkpoint *checkpoint; /* rank 0 */
    char *path;
    Texts texts;
    Config config;
} Work;

static Status prepare(Work *w, const Arguments *arguments) {
    DatasetSplit split = (DatasetSplit)arguments->split;
    uint64_t count = w->setup.info->count[split];
    SamplerView view = sampler_whole(count);
    if (split == DATASET_VAL && count == 0 && w->config.validation_split > 0 && arguments->data[0] == '\0') {
        split = DATASET_TRAIN; /* what the run validated on */
        view = sampler_validation_part(w->setup.info->count[split], w->config.validation_split, w->config.seed);
        count = view.count;
    }
    if (count == 0)
        return status_fail(STATUS_FAILED, "%s has no %s data. Choose another --split.", w->setup.info->path,
                           dataset_split_names[split]);
    PlanOptions plan = {.backend = arguments->backend, .winograd = (Winograd)w->config.winograd};
    TRY(replica_create(w->setup.graph, plan, &w->replica));
    TRY(evaluate_prepare(w->replica, count));
    TRY(replica_ready(w->replica));
    graph_initialize(w->setup.graph, 0, w->replica->weights); /* constants of the network are not in the file */
    return evaluate_create(&w->setup, split, view, &w->evaluation);
}

static Status load(Work *w) {
    size_t loaded;
    return record_load_weights(w->setup.model, w->setup.graph, w->replica->weights, w->checkpoint, w->path, &loaded);
}

static Status evaluate(Dist *dist, const Arguments *arguments, Work *w) {
    bool root = dist_rank(dist) == 0;
    Totals totals;
    w->setup.dist = dist;
    TRY(dist_agree(dist, root ? read_file(arguments, &w->path, &w->checkpoint, &w->texts) : STATUS_OK));
    TRY(dist_broadcast_text(dist, &w->texts.model));
    TRY(dist_broadcast_text(dist, &w->texts.state));
    TRY(dist_broadcast_text(dist, &w->texts.preprocess));
    TRY(dist_agree(dist, choose_options(arguments, &w->texts, &w->config)));
    TRY(setup_data(&w->setup, w->config.data));
    TRY(setup_model(&w->setup, w->texts.model, arguments->run));
    TRY(dist_agree(dist, choose_preprocess(arguments, &w->texts, &w->setup)));
    TRY(setup_graph(&w->setup, &w->config));
    TRY(dist_agree(dist, prepare(w, arguments)));
    TRY(dist_agree(dist, root ? load(w) : STATUS_OK));
    dist_broadcast(dist, w->replica->weights, w->setup.graph->weight_count * sizeof(Real));
    TRY(evaluate_run(w->evaluation, w->replica, &totals));
    return dist_agree(dist, root ? print(&w->setup, w->evaluation, arguments, w->path, &totals) : STATUS_OK);
}

static Status verify(Dist *dist, const Arguments *arguments) {
    PredictOptions wanted = {.run = arguments->run,
                             .checkpoint = arguments->checkpoint,
                             .data = arguments->data,
                             .preprocess = arguments->preprocess,
                             .layer = arguments->layer,
                             .embedding = true,
                             .backend = arguments->backend,
                             .split = (DatasetSplit)arguments->split};
    return verify_run(dist, &wanted, arguments->verify_pairs, arguments->seed, arguments->json);
}

static Status check_together(const Arguments *arguments) {
    bool pairs = arguments->verify_pairs[0] != '\0';
    if (!pairs && arguments->layer[0])
        return status_fail(STATUS_USAGE, "--layer needs --verify-pairs");
    if (pairs && (arguments->metrics[0] || arguments->loss[0]))
        return status_fail(STATUS_USAGE, "--verify-pairs has no use for --metrics or --loss: its figures are fixed");
    return STATUS_OK;
}

static Status run(Dist *dist, int argc, char **argv) {
    static Arguments arguments;
    static Work work;
    OptionSource source[CLI_MAX_OPTIONS] = {0};
    bool exit_now = false;
    Status status = STATUS_OK;
    if (dist_rank(dist) == 0)
        status = cli_parse(&program, argc, argv, &arguments, source, &exit_now);
    if (status == STATUS_OK)
        cli_defaults(&program, &arguments, source);
    if (status == STATUS_OK && !exit_now)
        status = check_together(&arguments);
    if (status == STATUS_OK)
        status = backend_check_name(arguments.backend);
    TRY(dist_agree(dist, status));
    dist_broadcast(dist, &exit_now, sizeof exit_now);
    dist_broadcast(dist, &arguments, sizeof arguments);
    if (exit_now)
        return STATUS_OK;
    if (arguments.verify_pairs[0])
        return verify(dist, &arguments);
    status = evaluate(dist, &arguments, &work);
    evaluate_destroy(work.evaluation);
    replica_destroy(work.replica);
    checkpoint_destroy(work.checkpoint);
    setup_close(&work.setup);
    memory_free(work.path);
    memory_free(work.texts.model);
    memory_free(work.texts.state);
    memory_free(work.texts.preprocess);
    return status;
}

int main(int argc, char **argv) {
    return program_run("cnn_evaluate", run, argc, argv);
}
