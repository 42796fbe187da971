/* SPDX-License-Identifier: Apache-2.0
 *
 * cnn_inspect: what is in a run folder, a checkpoint, a Keras file, a network description or a dataset. */
#include "base/log.h"
#include "base/memory.h"
#include "data/folder.h"
#include "data/sheet.h"
#include "io/checkpoint.h"
#include "io/file.h"
#include "io/h5io.h"
#include "io/picture.h"
#include "io/run.h"
#include "model/model.h"
#include "train/inspect_data.h"
#include "train/program.h"
#include "train/record.h"
#include "train/run_check.h"
#include "train/summary.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

typedef struct Arguments {
    char path[CLI_TEXT], checkpoint[CLI_TEXT];
    bool verify, digest, quick, json;
    char png[CLI_TEXT], augment[CLI_TEXT]; /* of a dataset: draw a sheet there */
    size_t count, seed;
} Arguments;

#define FLAG(field) OPTION_FLAG, .offset = offsetof(Arguments, field)
static const Option options[] = {
    {.name = "file",
     .type = OPTION_TEXT,
     .offset = offsetof(Arguments, path),
     .argument = "FILE",
     .positional = true,
     .required = true,
     .values = "*.h5 *.keras *.json *.csv",
     .help = "run folder, checkpoint, .keras, .h5 or .weights.h5 of Keras, network .json, dataset .h5, folder of "
             "pictures or .csv that lists some"},
    {.name = "checkpoint",
     .key = 'c',
     .type = OPTION_TEXT,
     .offset = offsetof(Arguments, checkpoint),
     .argument = "WHICH",
     .fallback = "last",
     .values = "best final last",
     .help = "of a run folder: last, best, final or a step number"},
    {.name = "verify",
     .type = FLAG(verify),
     .help = "check the checksum of a checkpoint, or all files of a run folder: a line of each, exit code 1 when one "
             "is damaged"},
    {.name = "digest",
     .type = FLAG(digest),
     .help = "print SHA-256 of the weights, and of all that decides how training goes on"},
    {.name = "quick", .type = FLAG(quick), .help = "of a dataset: what its labels say, without reading x"},
    {.name = "json", .type = FLAG(json), .help = "of a dataset: everything as one line of JSON"},
    {.name = "png",
     .type = OPTION_TEXT,
     .offset = offsetof(Arguments, png),
     .argument = "SHEET.png",
     .endings = ".png",
     .group = "Pictures of a dataset",
     .help = "draw examples into this PNG file, too"},
    {.name = "augment",
     .type = OPTION_TEXT,
     .offset = offsetof(Arguments, augment),
     .argument = "LIST",
     .repeated = true,
     .help =
         "draw each with what cnn_train --augment LIST makes of it in its first epochs, and print nothing else; help "
         "lists what there is"},
    {.name = "seed",
     .type = OPTION_SIZE,
     .offset = offsetof(Arguments, seed),
     .argument = "N",
     .fallback = "0",
     .help = "that of cnn_train"},
    {.name = "count",
     .type = OPTION_SIZE,
     .offset = offsetof(Arguments, count),
     .argument = "N",
     .min = 1,
     .max = 10000,
     .help = "so many examples, evenly spaced; 64, with --augment 8 when not given"},
};
static const CliProgram program = {
    .name = "cnn_inspect",
    .summary = "Shows what is in a run folder, a checkpoint, a network or a dataset.",
    .examples = "Examples:\n  cnn_inspect run1\n  cnn_inspect run1 --digest\n  cnn_inspect run1 --verify\n"
                "  cnn_inspect cifar10.h5 --augment flip,crop=4,trivial --png sheet.png",
    .options = options,
    .option_count = sizeof options / sizeof *options,
};

/* ---- networks ---------------------------------------------------------------------------------------------------- */

static Status show_network(const char *text, const char *source) {
    Model *model;
    Graph *graph = NULL;
    char *summary = NULL;
    TRY(model_parse(text, source, &model));
    Status status = graph_create(&graph);
    if (status == STATUS_OK)
        status = model_build(model, &(ModelBuild){0}, graph);
    if (status == STATUS_OK)
        status = graph_finish(graph);
    if (status == STATUS_OK)
        status = summary_format(graph, model->name, NULL, &summary);
    if (status == STATUS_OK)
        printf("%s", summary);
    memory_free(summary);
    graph_destroy(graph);
    model_destroy(model);
    return status;
}

/* ---- datasets ---------------------------------------------------------------------------------------------------- */

/* Examples on a sheet with words; more have no room (io/drawing.h) and are drawn small, without. */
enum { WORDS_MOST = 2500, WORDS_MOST_AUGMENTED = 150 };

/* --png */
static Status draw_sheet(const Arguments *arguments, Dataset *dataset) {
    Augment augment;
    TRY(augment_parse(arguments->augment, &augment));
    augment.seed = arguments->seed;
    Status status = augment_check(&augment, dataset);
    const Augment *given = augment.count > 0 ? &augment : NULL;
    bool words = drawing_available() && arguments->count <= (given ? WORDS_MOST_AUGMENTED : WORDS_MOST);
    if (status == STATUS_OK)
        status = (words ? sheet_of_labels : sheet_of_dataset)(dataset, given, arguments->count, arguments->png);
    if (status == STATUS_OK && !arguments->json)
        log_info("written: %s\n", arguments->png);
    return status;
}

static Status show_dataset(const Arguments *arguments) {
    Dataset *dataset;
    Status status = STATUS_OK;
    TRY(dataset_open(arguments->path, &dataset));
    dataset_warn_of_doubts(dataset_info(dataset));
    if (arguments->augment[0] == '\0')
        status = inspect_data(dataset, !arguments->quick, arguments->json);
    if (status == STATUS_OK && arguments->png[0])
        status = draw_sheet(arguments, dataset);
    dataset_close(dataset);
    return status;
}

/* Whether a folder holds neither a checkpoint nor what a run writes first. */
static bool is_no_run(const char *path) {
    char **names;
    size_t count, found = 0;
    if (file_list(path, &names, &count) != STATUS_OK)
        return false;
    for (size_t i = 0; i < count; i++)
        found += cli_has_ending(names[i], ".h5") || strcmp(names[i], RUN_CONFIG) == 0;
    memory_free(names);
    return count > 0 && found == 0;
}

static bool is_dataset(const char *path) {
    struct stat info;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        return is_no_run(path);
    if (folder_is_source(path))
        return true;
    H5ioFile *file;
    if (h5io_open(path, &file) != STATUS_OK)
        return false;
    bool found = false;
    for (int s = 0; s < DATASET_SPLITS; s++) {
        char name[32];
        snprintf(name, sizeof name, "/%s/x", dataset_split_names[s]);
        H5ioKind kind;
        found |= h5io_kind(file, name, &kind) == STATUS_OK && kind == H5IO_DATASET;
    }
    h5io_close(file);
    return found;
}

/* ---- checkpoints ------------------------------------------------------------------------------------------------- */

static Status show_state(const char *text, const char *path) {
    RecordState saved;
    char *json;
    TRY(record_parse(text, path, &saved));
    printf("training: step %llu, %llu of %zu epochs done", (unsigned long long)saved.state.step,
           (unsigned long long)saved.state.epoch, saved.config.epochs);
    if (saved.state.batch)
        printf(" and %llu batches", (unsigned long long)saved.state.batch);
    printf(", %.1f s\n", saved.state.seconds);
    if (isfinite(saved.state.best_loss))
        printf("best %s %.6g at epoch %llu\n", saved.config.monitor[0] ? saved.config.monitor : "loss",
               saved.state.best_loss, (unsigned long long)saved.state.best_epoch);
    printf("computed by %s", saved.environment);
    if (saved.ranks > 0)
        printf(", on %zu rank%s", saved.ranks, saved.ranks == 1 ? "" : "s");
    printf("\n%zu training examples\n", saved.train_examples);
    Status status = config_to_json(&saved.config, &json);
    if (status == STATUS_OK) {
        printf("options %s\n", json);
        memory_free(json);
    }
    record_free(&saved);
    return status;
}

/* A file of weights alone. */
static void show_weights(const Checkpoint *checkpoint) {
    char shape[SHAPE_TEXT];
    for (size_t l = 0; l < checkpoint->layer_count; l++)
        for (size_t k = 0; k < checkpoint->layers[l].count; k++)
            printf("%s/%s %s\n", checkpoint->layers[l].name, checkpoint->layers[l].weights[k].name,
                   shape_format(&checkpoint->layers[l].weights[k].shape, shape));
}

static Status show_digest(const Checkpoint *checkpoint) {
    char hex[DIGEST_HEX];
    TRY(digest_weights(checkpoint, hex));
    printf("weights sha256 %s\n", hex);
    if (checkpoint->state) {
        TRY(record_digest(checkpoint, hex));
        printf("state sha256 %s\n", hex);
    }
    return STATUS_OK;
}

/* "checkpoint run1/final.h5, written by cnn 0.1.0, checksum right", or what kind of Keras's files it is. */
static void show_kind(const Checkpoint *checkpoint, const char *path) {
    bool whole = checkpoint->model_config != NULL, paths = checkpoint->naming == CHECKPOINT_CLASS_PATHS;
    const char *writer = checkpoint->writer[0] ? checkpoint->writer : "unknown";
    if (checkpoint->ours)
        printf("checkpoint %s, written by %s, checksum right\n", path, writer);
    else
        printf("Keras %s %s (%s), written by %s\n", whole ? "model" : "weights", path,
               !paths  ? ".h5"
               : whole ? ".keras"
                       : ".weights.h5",
               writer);
}

static void show_totals(const Checkpoint *checkpoint) {
    size_t tensors = 0, numbers = 0, layers = 0;
    for (size_t l = 0; l < checkpoint->layer_count; l++) {
        layers += checkpoint->layers[l].count > 0;
        tensors += checkpoint->layers[l].count;
        for (size_t k = 0; k < checkpoint->layers[l].count; k++)
            numbers += shape_count(&checkpoint->layers[l].weights[k].shape);
    }
    printf("weights: %zu layers, %zu arrays, %zu numbers\n", layers, tensors, numbers);
    if (checkpoint->optimizer_count > 0)
        printf("optimizer: %zu variables\n", checkpoint->optimizer_count);
}

static Status show_checkpoint(const char *path, bool digest) {
    Checkpoint *checkpoint;
    Status status = STATUS_OK;
    TRY(checkpoint_read(path, CHECKPOINT_ANY, &checkpoint));
    if (digest) {
        status = show_digest(checkpoint);
    } else {
        show_kind(checkpoint, path);
        show_totals(checkpoint);
        if (checkpoint->model_config)
            status = show_network(checkpoint->model_config, path);
        else
            show_weights(checkpoint);
        if (status == STATUS_OK && checkpoint->state)
            status = show_state(checkpoint->state, path);
    }
    checkpoint_destroy(checkpoint);
    return status;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static Status inspect(void *given) {
    const Arguments *arguments = given;
    const char *path = arguments->path;
    struct stat info;
    if (strcmp(arguments->augment, "help") == 0) {
        augment_help(stdout);
        return STATUS_OK;
    }
    if (arguments->png[0])
        return show_dataset(arguments);
    if (arguments->augment[0] || arguments->count)
        return status_fail(STATUS_USAGE, "--augment and --count draw a sheet of a dataset: give --png FILE too");
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode) && !is_dataset(path)) {
        if (arguments->verify)
            return run_check(path);
        char *file;
        TRY(run_resolve(path, arguments->checkpoint, &file));
        Status status = show_checkpoint(file, arguments->digest);
        memory_free(file);
        return status;
    }
    if (cli_has_ending(path, ".json")) {
        char *text;
        size_t size;
        TRY(file_read(path, (unsigned char **)&text, &size));
        Status status = show_network(text, path);
        memory_free(text);
        return status;
    }
    if (is_dataset(path))
        return show_dataset(arguments);
    if (arguments->verify) {
        TRY(checkpoint_verify(path));
        printf("ok        %s\n", path);
        return STATUS_OK;
    }
    return show_checkpoint(path, arguments->digest);
}

int main(int argc, char **argv) {
    static Arguments arguments;
    return program_run_alone(&program, argc, argv, &arguments, inspect);
}
