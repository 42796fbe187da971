/* SPDX-License-Identifier: Apache-2.0
 *
 * cnn_import: makes dataset files from other formats.  One process, no MPI. */
#include "base/log.h"
#include "base/memory.h"
#include "data/format_idx.h"
#include "train/program.h"
#include <string.h>

enum { FILES = 2 * DATASET_SPLITS };

typedef struct Arguments {
    char format[CLI_TEXT], file[FILES][CLI_TEXT];
    char images[DATASET_SPLITS][CLI_TEXT], labels[DATASET_SPLITS][CLI_TEXT];
    char output[CLI_TEXT], class_names[CLI_TEXT], origin[CLI_TEXT];
    double validation_split;
    size_t seed;
    bool force, verbose, quiet;
} Arguments;

static const char *const formats[] = {"idx", NULL};

#define TEXT(field, shown) OPTION_TEXT, .offset = offsetof(Arguments, field), .argument = shown
#define FILE_ROW(i, text)                                                                                              \
    { .name = "file", .type = TEXT(file[i], "FILE"), .positional = true, .help = text }
static const Option options[] = {
    {.name = "format",
     .type = TEXT(format, "FORMAT"),
     .positional = true,
     .required = true,
     .choices = formats,
     .help = "of the files"},
    FILE_ROW(0, "up to six: images and labels, told apart by content and name"),
    FILE_ROW(1, NULL),
    FILE_ROW(2, NULL),
    FILE_ROW(3, NULL),
    FILE_ROW(4, NULL),
    FILE_ROW(5, NULL),
    {.name = "output",
     .key = 'o',
     .type = TEXT(output, "FILE.h5"),
     .endings = ".h5 .hdf5",
     .help = "dataset file to write"},
    {.name = "force",
     .key = 'f',
     .type = OPTION_FLAG,
     .offset = offsetof(Arguments, force),
     .help = "replace FILE if it exists"},
    {.name = "class-names", .type = TEXT(class_names, "A,B,..."), .help = "in the order of the labels' numbers"},
    {.name = "origin", .type = TEXT(origin, "TEXT"), .help = "where the data are from, kept in the file"},
    {.name = "validation-split",
     .type = OPTION_NUMBER,
     .offset = offsetof(Arguments, validation_split),
     .argument = "FRACTION",
     .fallback = "0",
     .min = 0,
     .max = 0.9,
     .help = "random part of train that becomes val"},
    {.name = "seed",
     .type = OPTION_SIZE,
     .offset = offsetof(Arguments, seed),
     .argument = "N",
     .fallback = "0",
     .max = 9e15,
     .help = "of --validation-split"},
    {.name = "train-images",
     .type = TEXT(images[DATASET_TRAIN], "FILE"),
     .help = "images of train",
     .group = "Files named one by one"},
    {.name = "train-labels", .type = TEXT(labels[DATASET_TRAIN], "FILE"), .help = "labels of train"},
    {.name = "val-images", .type = TEXT(images[DATASET_VAL], "FILE"), .help = "images of val"},
    {.name = "val-labels", .type = TEXT(labels[DATASET_VAL], "FILE"), .help = "labels of val"},
    {.name = "test-images", .type = TEXT(images[DATASET_TEST], "FILE"), .help = "images of test"},
    {.name = "test-labels", .type = TEXT(labels[DATASET_TEST], "FILE"), .help = "labels of test"},
    {.name = "verbose",
     .key = 'v',
     .type = OPTION_FLAG,
     .offset = offsetof(Arguments, verbose),
     .group = "Display",
     .help = "tell how far it got"},
    {.name = "quiet",
     .key = 'q',
     .type = OPTION_FLAG,
     .offset = offsetof(Arguments, quiet),
     .help = "print errors and warnings only"},
};
static const CliProgram program = {
    .name = "cnn_import",
    .summary = "Makes a dataset file of files in another format, packed by gzip or not.",
    .examples = "Example:\n"
                "  cnn_import idx train-images-idx3-ubyte.gz train-labels-idx1-ubyte.gz \\\n"
                "      t10k-images-idx3-ubyte.gz t10k-labels-idx1-ubyte.gz -o mnist.h5",
    .options = options,
    .option_count = sizeof options / sizeof *options,
};

/* Cuts a text at its commas, in place. */
static Status split_names(char *text, char ***names, size_t *count) {
    *count = *text != '\0';
    for (const char *c = text; *c; c++)
        *count += *c == ',';
    TRY(memory_new(names, *count, "class names"));
    for (size_t i = 0; i < *count; i++) {
        (*names)[i] = strsep(&text, ",");
        if (*(*names)[i] == '\0')
            return status_fail(STATUS_USAGE, "--class-names has an empty name");
    }
    return STATUS_OK;
}

static Status print_result(const char *path) {
    Dataset *dataset;
    char shape[SHAPE_TEXT];
    TRY(dataset_open(path, &dataset));
    const DatasetInfo *info = dataset_info(dataset);
    log_info("%s: examples of %s uint8, %zu classes;", path, shape_format(&info->shape, shape),
             info->labels[0].classes);
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++)
        if (info->count[split] > 0)
            log_info(" %s %zu", dataset_split_names[split], info->count[split]);
    log_info("\n");
    dataset_close(dataset);
    return STATUS_OK;
}

static Status import_idx(Arguments *arguments) {
    FormatIdxImport import = {.validation_split = arguments->validation_split,
                              .seed = arguments->seed,
                              .origin = arguments->origin,
                              .output = arguments->output,
                              .replace = arguments->force};
    const char *files[FILES];
    size_t count = 0;
    while (count < FILES && arguments->file[count][0]) {
        files[count] = arguments->file[count];
        count++;
    }
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++) {
        import.images[split] = arguments->images[split][0] ? arguments->images[split] : NULL;
        import.labels[split] = arguments->labels[split][0] ? arguments->labels[split] : NULL;
    }
    Status status = split_names(arguments->class_names, &import.class_names, &import.class_name_count);
    if (status == STATUS_OK)
        status = format_idx_sort(files, count, &import);
    if (status == STATUS_OK)
        status = format_idx_import(&import);
    memory_free(import.class_names);
    return status == STATUS_OK ? print_result(arguments->output) : status;
}

static Status run(void *given) {
    Arguments *arguments = given;
    log_set_level(arguments->quiet ? LOG_QUIET : arguments->verbose ? LOG_VERBOSE : LOG_NORMAL);
    if (arguments->output[0] == '\0')
        return status_fail(STATUS_USAGE, "say where the dataset goes, with --output FILE");
    return import_idx(arguments);
}

int main(int argc, char **argv) {
    static Arguments arguments;
    return program_run_alone(&program, argc, argv, &arguments, run);
}
