/* SPDX-License-Identifier: Apache-2.0
 *
 * cnn_evaluate: loss, accuracy and metrics of a run or a checkpoint on a split of a dataset, the same on any number of ranks. */
#include "backend/select.h"
#include "base/log.h"
#include "train/cli.h"
#include "train/evaluate.h"
#include "train/program.h"
#include "train/verify.h"
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Arguments {
    TrainedArguments trained;
    char loss[CLI_TEXT], metrics[CLI_TEXT], verify_pairs[CLI_TEXT], layer[CLI_TEXT];
    size_t seed;
    bool json;
} Arguments;

#define TEXT(field, shown) OPTION_TEXT, .offset = offsetof(Arguments, field), .argument = shown
static const Option options[] = {
    TRAINED_OPTIONS(Arguments, trained),
    {.name = "loss", .type = TEXT(loss, "KIND"), .help = "as in cnn_train; the run's own when not given"},
    {.name = "metrics",
     .type = TEXT(metrics, "LIST"),
     .repeated = true,
     .help = "what to print beside loss and accuracy, as in cnn_train; the run's own when not given"},
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
    {.name = "json", .type = OPTION_FLAG, .offset = offsetof(Arguments, json), .help = "print one JSON object"},
};
static const CliProgram program = {
    .name = "cnn_evaluate",
    .summary = "Loss, accuracy and metrics of a trained network on a split of a dataset.",
    .examples = "Examples:\n  cnn_evaluate run1\n  mpirun -np 8 cnn_evaluate run1 --data mnist.h5 --split val --json",
    .options = options,
    .option_count = sizeof options / sizeof *options,
};

static json_t *number_or_null(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static Status print_json(const Trained *t, const Evaluation *e, const Totals *totals) {
    json_t *json = json_pack("{s:s, s:s, s:s, s:f, s:o, s:I}", "checkpoint", t->path, "data", t->setup.info->path,
                             "split", dataset_split_names[t->asked], "loss",
                             totals_loss(totals, t->setup.loss_weights, t->setup.graph->loss_count), "accuracy",
                             number_or_null(totals_accuracy(totals, 0)), "examples", (json_int_t)totals->examples);
    for (size_t i = 0; json && e->metrics && i < e->metrics->count; i++)
        json_object_set_new(json, e->metrics->items[i].name, number_or_null(e->values[i]));
    return program_print_json(json, "the loss is not a number");
}

static Status print(const Trained *t, const Evaluation *e, const Totals *totals) {
    evaluate_print(e, dataset_split_names[t->asked], totals);
    return log_check_output();
}

static Status prepare(Trained *t, Evaluation **evaluation) {
    TRY(replica_create(t->setup.graph, t->plan, &t->replica));
    TRY(evaluate_prepare(t->replica, t->view.count));
    TRY(replica_ready(t->replica));
    return evaluate_create(&t->setup, t->split, t->view, evaluation);
}

static Status evaluate(Dist *dist, const Arguments *arguments, Trained *t, Evaluation **evaluation) {
    Totals totals;
    TRY(trained_open(dist, &arguments->trained, t));
    if (arguments->loss[0])
        memcpy(t->config.loss, arguments->loss, sizeof t->config.loss);
    if (arguments->metrics[0])
        memcpy(t->config.metrics, arguments->metrics, sizeof t->config.metrics);
    TRY(setup_graph(&t->setup, &t->config));
    TRY(dist_agree(dist, prepare(t, evaluation)));
    TRY(trained_load(t));
    TRY(evaluate_run(*evaluation, t->replica, &totals));
    Status status = STATUS_OK;
    if (dist_rank(dist) == 0)
        status = arguments->json ? print_json(t, *evaluation, &totals) : print(t, *evaluation, &totals);
    return dist_agree(dist, status);
}

static Status verify(Dist *dist, const Arguments *arguments) {
    PredictOptions wanted = {.trained = &arguments->trained, .layer = arguments->layer, .embedding = true};
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
    static Trained trained;
    Evaluation *evaluation = NULL;
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
        status = backend_check_name(arguments.trained.backend);
    TRY(dist_agree(dist, status));
    dist_broadcast(dist, &exit_now, sizeof exit_now);
    dist_broadcast(dist, &arguments, sizeof arguments);
    if (exit_now)
        return STATUS_OK;
    if (arguments.verify_pairs[0])
        return verify(dist, &arguments);
    status = evaluate(dist, &arguments, &trained, &evaluation);
    evaluate_destroy(evaluation);
    trained_close(&trained);
    return status;
}

int main(int argc, char **argv) {
    return program_run(&program, run, argc, argv);
}
