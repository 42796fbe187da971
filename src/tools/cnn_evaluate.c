/* SPDX-License-Identifier: Apache-2.0
 *
 * cnn_evaluate: how good a run or a checkpoint, or the mean of several, is on a split of a dataset, the same on any
 * number of ranks. */
#include "backend/select.h"
#include "io/drawing.h"
#include "train/assess_run.h"
#include "train/cli.h"
#include "train/program.h"
#include "train/verify.h"

typedef struct Arguments {
    TrainedArguments trained;
    MeanArguments mean;
    CliWords runs;
    char out[CLI_TEXT], confusion[CLI_TEXT], mistakes[CLI_TEXT];
    char loss[CLI_TEXT], metrics[CLI_TEXT], verify_pairs[CLI_TEXT], layer[CLI_TEXT];
    size_t seed;
    bool json;
} Arguments;

#define TEXT(field, shown) OPTION_TEXT, .offset = offsetof(Arguments, field), .argument = shown
static const Option options[] = {
    TRAINED_OPTIONS(Arguments, trained),
    {.name = "runs",
     .type = OPTION_WORDS,
     .offset = offsetof(Arguments, runs),
     .argument = "RUN...",
     .positional = true,
     .help = "further ones: their mean is evaluated"},
    MEAN_OPTIONS(Arguments, mean),
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
    {.name = "out", .key = 'o', .type = TEXT(out, "FILE.json"), .endings = ".json", .help = "write it to a file, too"},
    {.name = "confusion",
     .type = TEXT(confusion, "FILE"),
     .endings = ".png .svg .pdf",
     .help = "draw the confusion matrix"},
    {.name = "mistakes",
     .type = TEXT(mistakes, "FILE.png"),
     .endings = ".png",
     .help = "draw the wrong examples with the highest loss, with what the network says and what is true"},
};
static const CliProgram program = {
    .name = "cnn_evaluate",
    .summary = "How good a trained network, or the mean of several, is on a split of a dataset:\n"
               "loss, accuracy, figures of each class, confusions, calibration, mistakes.",
    .common = "data split checkpoint metrics tta json out confusion mistakes",
    .examples = "Examples:\n  cnn_evaluate run1 --confusion confusion.png --mistakes mistakes.png\n"
                "  mpirun -np 8 cnn_evaluate run1 --data mnist.h5 --split val --json\n"
                "  cnn_evaluate run1 run2 run3 --tta flip",
    .options = options,
    .option_count = sizeof options / sizeof *options,
};

static Status verify(Dist *dist, const Arguments *arguments) {
    PredictOptions wanted = {.trained = &arguments->trained, .layer = arguments->layer, .embedding = true};
    return verify_run(dist, &wanted, arguments->verify_pairs, arguments->seed, arguments->json);
}

static Status check(void *values, const OptionSource *source) {
    const Arguments *arguments = values;
    (void)source;
    bool pairs = arguments->verify_pairs[0] != '\0';
    if (!pairs && arguments->layer[0])
        return status_fail(STATUS_USAGE, "--layer needs --verify-pairs");
    if (pairs && (arguments->metrics[0] || arguments->loss[0]))
        return status_fail(STATUS_USAGE, "--verify-pairs has no use for --metrics or --loss: its figures are fixed");
    if (pairs && (arguments->runs.count > 0 || arguments->mean.tta[0] || arguments->confusion[0] ||
                  arguments->mistakes[0] || arguments->out[0]))
        return status_fail(STATUS_USAGE, "--verify-pairs takes one run, and prints its figures only");
    if ((arguments->confusion[0] || arguments->mistakes[0]) && !drawing_available())
        return drawing_missing(arguments->confusion[0] ? arguments->confusion : arguments->mistakes);
    return backend_check_name(arguments->trained.backend);
}

static Status run(Dist *dist, int argc, char **argv) {
    static Arguments arguments;
    bool exit_now;
    TRY(program_arguments(dist, &program, argc, argv, check, &arguments, sizeof arguments, &exit_now));
    if (exit_now)
        return STATUS_OK;
    if (arguments.verify_pairs[0])
        return verify(dist, &arguments);
    AssessOptions wanted = {.trained = &arguments.trained,
                            .mean = &arguments.mean,
                            .runs = &arguments.runs,
                            .loss = arguments.loss,
                            .metrics = arguments.metrics,
                            .json = arguments.json,
                            .out = arguments.out,
                            .confusion = arguments.confusion,
                            .mistakes = arguments.mistakes};
    return assess_run(dist, &wanted);
}

int main(int argc, char **argv) {
    return program_run(&program, run, argc, argv);
}
