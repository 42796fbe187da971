/* SPDX-License-Identifier: Apache-2.0
 *
 * cnn_predict: what trained networks, or one of their layers, make of pictures, of folders of them, or of a dataset: as
 * a table, CSV, JSON, a sheet of pictures, or a dataset file. */
#include "backend/select.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/drawing.h"
#include "train/cli.h"
#include "train/predict_file.h"
#include "train/predict_write.h"
#include "train/program.h"
#include <string.h>
#include <unistd.h>

typedef struct Arguments {
    TrainedArguments trained;
    MeanArguments mean;
    CliWords words;        /* further networks, and inputs, */
    CliWords runs, inputs; /* sorted: places in one list that is freed with that of runs */
    char layer[CLI_TEXT], out[CLI_TEXT], png[CLI_TEXT];
    size_t top, count;
    int format, on_bad_file;
    bool force;
} Arguments;

enum { ON_BAD_FILE_STOP, ON_BAD_FILE_SKIP };
static const char *const on_bad_files[] = {"stop", "skip", NULL};

#define TEXT(field, shown) OPTION_TEXT, .offset = offsetof(Arguments, field), .argument = shown
static const Option options[] = {
    TRAINED_OPTIONS(Arguments, trained),
    {.name = "inputs",
     .type = OPTION_WORDS,
     .offset = offsetof(Arguments, words),
     .argument = "INPUT...",
     .positional = true,
     .help =
         "pictures, folders of pictures, datasets, - or @FILE for a list of such; the run's own data when not given. "
         "Further runs among them: the mean of all"},
    {.name = "top",
     .type = OPTION_SIZE,
     .offset = offsetof(Arguments, top),
     .argument = "K",
     .fallback = "1",
     .min = 1,
     .max = 1000,
     .help = "how many classes: the K most probable ones"},
    {.name = "format",
     .type = OPTION_CHOICE,
     .offset = offsetof(Arguments, format),
     .argument = "KIND",
     .choices = predict_formats,
     .fallback = "table",
     .help = "of the rows"},
    {.name = "out",
     .key = 'o',
     .type = TEXT(out, "FILE"),
     .endings = ".h5 .hdf5 .csv .json .txt",
     .help = "write there, by its name; .h5: a dataset with the outputs as x, and the labels, in the order of the "
             "examples"},
    {.name = "png",
     .type = TEXT(png, "FILE"),
     .endings = ".png .svg .pdf",
     .help = "draw the inputs with what the network says: green when right, red when wrong, black when unknown"},
    {.name = "count",
     .type = OPTION_SIZE,
     .offset = offsetof(Arguments, count),
     .argument = "N",
     .fallback = "100",
     .min = 1,
     .max = 1000,
     .help = "--png: pictures at most; of more inputs so many, evenly spaced"},
    {.name = "on-bad-file",
     .type = OPTION_CHOICE,
     .offset = offsetof(Arguments, on_bad_file),
     .argument = "WHAT",
     .choices = on_bad_files,
     .fallback = "stop",
     .help = "when a picture cannot be read; skip goes on, and ends with 1"},
    {.name = "layer", .type = TEXT(layer, "NAME"), .help = "the output of this layer, not of the network"},
    {.name = "force", .type = OPTION_FLAG, .offset = offsetof(Arguments, force), .help = "replace the file of --out"},
    MEAN_OPTIONS(Arguments, mean),
};
static const CliProgram program = {
    .name = "cnn_predict",
    .summary = "What a trained network, or the mean of several, makes of pictures, folders of\n"
               "pictures or datasets: classes, or the output of any layer.",
    .common = "data split checkpoint top format out png on-bad-file tta layer",
    .examples = "Examples:\n  cnn_predict run1 cat.jpg photos/ --top 3\n"
                "  mpirun -np 8 cnn_predict run1 photos/ -o photos.csv --png photos.png\n"
                "  mpirun -np 8 cnn_predict run1 --split train --layer avg_pool -o features.h5",
    .options = options,
    .option_count = sizeof options / sizeof *options,
};

static bool is_hdf5(const char *name) {
    return cli_has_ending(name, ".h5") || cli_has_ending(name, ".hdf5");
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

static Status sort_words(Arguments *a) {
    char **list;
    const CliWords *all = &a->words;
    TRY(memory_new(&list, all->count, "words"));
    a->runs.list = list;
    for (size_t i = 0; i < all->count; i++)
        if (inputs_is_network(all->list[i]))
            list[a->runs.count++] = all->list[i];
    a->inputs.list = list + a->runs.count;
    for (size_t i = 0; i < all->count; i++)
        if (!inputs_is_network(all->list[i]))
            list[a->runs.count + a->inputs.count++] = all->list[i];
    if (a->inputs.count > 0 && a->trained.data[0])
        return status_fail(STATUS_USAGE, "%s and --data: give one of them", a->inputs.list[0]);
    /* A dataset alone is what --data names: with its labels, and networks that read more than x. */
    if (a->inputs.count == 1 && is_hdf5(a->inputs.list[0]) && strlen(a->inputs.list[0]) < CLI_TEXT) {
        snprintf(a->trained.data, CLI_TEXT, "%s", a->inputs.list[0]);
        a->inputs.count = 0;
    }
    return STATUS_OK;
}

/* ---- the program ------------------------------------------------------------------------------------------------- */

static Status write_rows(Predictor *p, const Arguments *arguments) {
    Dist *dist = p->trained.setup.dist;
    bool root = dist_rank(dist) == 0;
    PredictWriter *writer = NULL;
    PredictWriteOptions wanted = {.format = (PredictFormat)arguments->format,
                                  .top = arguments->top,
                                  .out = arguments->out,
                                  .png = arguments->png,
                                  .png_count = arguments->count};
    Status status = dist_agree(dist, root ? predict_writer_create(p, &wanted, &writer) : STATUS_OK);
    if (status == STATUS_OK)
        status = predict_run(p, predict_writer_sink, writer);
    if (status == STATUS_OK)
        status = dist_agree(dist, root ? predict_writer_finish(writer) : STATUS_OK);
    predict_writer_destroy(writer);
    return status;
}

static Status predict(Dist *dist, const Arguments *arguments) {
    InputOptions how = {.split = (DatasetSplit)arguments->trained.split,
                        .skip = arguments->on_bad_file == ON_BAD_FILE_SKIP};
    Inputs *inputs = NULL;
    Predictor predictor = {0};
    Status status = STATUS_OK;
    bool to_dataset = is_hdf5(arguments->out);
    if (arguments->inputs.count > 0)
        status = inputs_open(dist, &arguments->inputs, &how, &inputs);
    PredictOptions wanted = {.trained = &arguments->trained,
                             .layer = arguments->layer,
                             .all_outputs = !to_dataset,
                             .mean = &arguments->mean,
                             .runs = &arguments->runs,
                             .inputs = inputs};
    if (status == STATUS_OK)
        status = predict_open(dist, &wanted, &predictor);
    if (status == STATUS_OK)
        status = to_dataset ? predict_to_dataset(&predictor, arguments->out, arguments->force)
                            : write_rows(&predictor, arguments);
    predict_close(&predictor);
    inputs_close(inputs);
    TRY(status);
    return dist_agree(dist, log_check_output());
}

/* --out says the format by its name. */
static Status choose_format(Arguments *arguments, bool given) {
    PredictFormat by_name = cli_has_ending(arguments->out, ".csv")    ? PREDICT_CSV
                            : cli_has_ending(arguments->out, ".json") ? PREDICT_JSON
                                                                      : PREDICT_TABLE;
    if (arguments->out[0] == '\0')
        return STATUS_OK;
    if (given && (is_hdf5(arguments->out) || arguments->format != (int)by_name))
        return status_fail(STATUS_USAGE, "--format %s and --out %s: the file's name says another one",
                           predict_formats[arguments->format], arguments->out);
    arguments->format = (int)by_name;
    return STATUS_OK;
}

static Status check(void *values, const OptionSource *source) {
    Arguments *arguments = values;
    bool format_given = false, to_dataset = is_hdf5(arguments->out);
    for (size_t i = 0; i < program.option_count; i++)
        format_given = format_given || (strcmp(options[i].name, "format") == 0 && source[i] == SOURCE_GIVEN);
    TRY(choose_format(arguments, format_given));
    if (arguments->out[0] && !arguments->force && access(arguments->out, F_OK) == 0)
        return status_fail(STATUS_FAILED, "%s exists already; --force replaces it", arguments->out);
    if (to_dataset && arguments->png[0])
        return status_fail(STATUS_USAGE, "--png draws predictions: leave --out %s away", arguments->out);
    if (to_dataset && arguments->on_bad_file == ON_BAD_FILE_SKIP)
        return status_fail(STATUS_USAGE, "--on-bad-file skip would leave rows without numbers in %s", arguments->out);
    if (arguments->png[0] && !drawing_available())
        return drawing_missing(arguments->png);
    TRY(backend_check_name(arguments->trained.backend));
    return sort_words(arguments);
}

static Status run(Dist *dist, int argc, char **argv) {
    static Arguments arguments;
    bool exit_now;
    Status status = program_arguments(dist, &program, argc, argv, check, &arguments, sizeof arguments, &exit_now);
    if (status == STATUS_OK && !exit_now)
        status = predict(dist, &arguments);
    if (dist_rank(dist) == 0)
        memory_free((void *)arguments.runs.list);
    return status;
}

int main(int argc, char **argv) {
    return program_run(&program, run, argc, argv);
}
