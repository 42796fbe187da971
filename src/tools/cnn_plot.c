/* SPDX-License-Identifier: Apache-2.0
 *
 * cnn_plot: pictures of runs, which may be training, and of what networks have learnt. */
#include "backend/select.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/file.h"
#include "io/run.h"
#include "train/assess_run.h"
#include "train/look.h"
#include "train/program.h"
#include "train/report.h"
#include <string.h>

typedef enum What { WHAT_HISTORY, WHAT_FILTERS, WHAT_FEATURES, WHAT_GRAD_CAM, WHAT_CONFUSION } What;
static const char *const whats[] = {"history", "filters", "features", "grad-cam", "confusion", NULL};

typedef struct Arguments {
    CliWords runs;
    char file[CLI_TEXT];
    int what;
    bool dark;
    LookArguments look; /* its run is the first of `runs`, its inputs the others */
} Arguments;

#define MEMBER(field)      .offset = offsetof(Arguments, field)
#define TEXT(field, shown) .type = OPTION_TEXT, MEMBER(field), .argument = shown
static const Option options[] = {
    {.name = "runs",
     .type = OPTION_WORDS,
     MEMBER(runs),
     .argument = "RUN...",
     .positional = true,
     .required = true,
     .help = "run folders, or one and a picture to look at (features, grad-cam); all but history also takes a "
             "checkpoint or "
             "file of Keras, and the picture may be a folder of such"},
    {.name = "output",
     .key = 'o',
     TEXT(file, "FILE"),
     .endings = ".png .svg .pdf .html",
     .fallback = "plot.png",
     .help = "the picture: .png, .svg or .pdf; .html: all of the run, as the report.html in its folder"},
    {.name = "what",
     .key = 'w',
     .type = OPTION_CHOICE,
     MEMBER(what),
     .argument = "WHAT",
     .choices = whats,
     .fallback = "history",
     .help = "losses and metrics over epochs (history, of several runs in one picture), filters of the first "
             "convolution, what it makes of an example (features), where the network looks (grad-cam), which class is "
             "taken for which (confusion)"},
    {.name = "dark", .type = OPTION_FLAG, MEMBER(dark), .help = "charts on dark paper"},
    {.name = "layer",
     TEXT(look.layer, "NAME"),
     .group = "Of networks",
     .help = "filters, features: the first convolution when not given; grad-cam: the last"},
    {.name = "index",
     .key = 'i',
     .type = OPTION_SIZE,
     MEMBER(look.index),
     .argument = "N",
     .fallback = "0",
     .help = "features, grad-cam: which example of the split, or of a folder, from 0 on"},
    {.name = "class",
     TEXT(look.classes, "CLASS"),
     .help = "grad-cam: name or number; the three likeliest when not given"},
    {.name = "data", .key = 'd', TEXT(look.trained.data, "FILE"), .help = "dataset; the run's own when not given"},
    {.name = "split",
     .key = 's',
     .type = OPTION_CHOICE,
     MEMBER(look.trained.split),
     .argument = "SPLIT",
     .choices = dataset_split_names,
     .fallback = "test",
     .help = "which examples; val is also what --validation-split held out"},
    {.name = "checkpoint",
     .key = 'c',
     TEXT(look.trained.checkpoint, "WHICH"),
     .fallback = "best",
     .values = "best final last",
     .help = "of a run folder: best, final, last or a step number"},
    {.name = "preprocess",
     TEXT(look.trained.preprocess, "KIND"),
     .choices = preprocess_names,
     .help = "as in cnn_train; the run's own when not given"},
    {.name = "backend", TEXT(look.trained.backend, "NAME"), .fallback = "auto", .help = "which library computes"},
};
static const CliProgram program = {
    .name = "cnn_plot",
    .summary = "Pictures of runs, which may be training, and of what their networks have learnt.",
    .common = "output what dark layer index class data split checkpoint",
    .examples = "Examples:\n  cnn_plot checkpoints/lenet5-digits-1 -o curves.png\n  cnn_plot run1 run2 -o both.svg\n"
                "  cnn_plot run1 cat.jpg --what grad-cam -o where.png\n  cnn_plot run1 -o report.html",
    .options = options,
    .option_count = sizeof options / sizeof *options,
};

static Arguments arguments;

/* Takes the bytes of the picture, if there is one. */
static Status write_picture(Status status, unsigned char *bytes, size_t size) {
    if (status == STATUS_OK)
        status = file_write(arguments.file, 1, &(FilePart){bytes, size});
    memory_free(bytes);
    if (status == STATUS_OK)
        log_info("written: %s\n", arguments.file);
    return status;
}

static Status draw_history(PlotStyle style) {
    PlotRuns runs;
    unsigned char *bytes = NULL;
    size_t size = 0;
    Status status = plot_open(arguments.runs.list, arguments.runs.count, &runs);
    if (status == STATUS_OK)
        status = plot_history(&runs, style, &bytes, &size);
    plot_close(&runs);
    return write_picture(status, bytes, size);
}

static Status draw_filters(PlotStyle style) {
    const LookArguments *look = &arguments.look;
    unsigned char *bytes = NULL;
    size_t size = 0;
    char *path;
    TRY(run_resolve(look->trained.run, look->trained.checkpoint, &path));
    Status status = look_filters(path, look->layer, style, &bytes, &size);
    memory_free(path);
    return write_picture(status, bytes, size);
}

static PlotStyle style(void) {
    PlotStyle of = {.name = arguments.file, .dark = arguments.dark};
    drawing_format(arguments.file, &of.format); /* the option's endings are those that it knows */
    return of;
}

static bool is_report(void) {
    return cli_has_ending(arguments.file, ".html");
}

/* At one example. */
static bool looks(void) {
    return arguments.what == WHAT_FEATURES || arguments.what == WHAT_GRAD_CAM;
}

static Status check_runs(void) {
    CliWords runs = arguments.runs;
    if (is_report() && (arguments.what != WHAT_HISTORY || runs.count > 1))
        return status_fail(STATUS_USAGE, "%s: a report is of one run, and without --what", arguments.file);
    size_t networks = 1;
    for (size_t i = 1; i < runs.count; i++)
        networks += !looks() || inputs_is_network(runs.list[i]);
    if (arguments.what != WHAT_HISTORY && networks > 1)
        return status_fail(STATUS_USAGE, "--what %s draws one run, not %zu", whats[arguments.what], networks);
    if (looks() && runs.count > 1 && arguments.look.trained.data[0])
        return status_fail(STATUS_USAGE, "%s and --data: give one of them", runs.list[1]);
    if (looks())
        arguments.look.inputs = (CliWords){runs.list + 1, runs.count - 1};
    if (strlen(runs.list[0]) >= sizeof arguments.look.trained.run)
        return status_fail(STATUS_USAGE, "%s: the name is too long", runs.list[0]);
    strncpy(arguments.look.trained.run, runs.list[0], sizeof arguments.look.trained.run - 1);
    return backend_check_name(arguments.look.trained.backend);
}

/* What needs no network: no MPI either, so that it also works where that does not, as on a cluster's front end. */
static Status draw_files(void *unused) {
    (void)unused;
    TRY(check_runs());
    return is_report()                      ? STATUS_OK
           : arguments.what == WHAT_HISTORY ? draw_history(style())
           : arguments.what == WHAT_FILTERS ? draw_filters(style())
                                            : STATUS_OK;
}

/* All ranks draw, rank 0 writes. */
static Status draw_network(Dist *dist, int argc, char **argv) {
    (void)argc, (void)argv;
    Look look;
    unsigned char *bytes = NULL;
    size_t size = 0;
    Status status = look_open(dist, &arguments.look, &look);
    if (status == STATUS_OK)
        status = (arguments.what == WHAT_FEATURES ? look_features : look_grad_cam)(&look, style(), &bytes, &size);
    look_close(&look);
    if (dist_rank(dist) == 0)
        status = write_picture(status, bytes, size);
    else
        memory_free(bytes);
    return dist_agree(dist, status);
}

/* As cnn_evaluate draws it. */
static Status draw_confusion(Dist *dist, int argc, char **argv) {
    (void)argc, (void)argv;
    static const MeanArguments no_mean;
    AssessOptions wanted = {.trained = &arguments.look.trained,
                            .mean = &no_mean,
                            .runs = &(CliWords){NULL, 0},
                            .loss = "",
                            .metrics = "",
                            .out = "",
                            .mistakes = "",
                            .confusion = arguments.file,
                            .dark = arguments.dark,
                            .silent = true};
    TRY(assess_run(dist, &wanted));
    if (dist_rank(dist) == 0)
        log_info("written: %s\n", arguments.file);
    return STATUS_OK;
}

static Status write_report(Dist *dist, int argc, char **argv) {
    (void)argc, (void)argv;
    TRY(report_make(dist, &arguments.look.trained, 0, arguments.file, ""));
    if (dist_rank(dist) == 0)
        log_info("written: %s\n", arguments.file);
    return STATUS_OK;
}

int main(int argc, char **argv) {
    int code = program_run_alone(&program, argc, argv, &arguments, draw_files);
    bool computes = looks() || arguments.what == WHAT_CONFUSION || is_report();
    if (code != STATUS_OK || arguments.runs.count == 0 || !computes) /* done, also with --help */
        return code;
    return program_run(&program, is_report() ? write_report : looks() ? draw_network : draw_confusion, argc, argv);
}
