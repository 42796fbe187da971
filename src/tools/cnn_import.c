/* SPDX-License-Identifier: Apache-2.0
 *
 * cnn_import: makes dataset files from other formats.  The options of a kind of import stand here; which kind takes
 * which, in its ImportKind. */
#include "base/log.h"
#include "base/memory.h"
#include "train/importer.h"
#include "train/program.h"
#include <stdio.h>
#include <string.h>

typedef struct Arguments {
    char kind[CLI_TEXT];
    CliWords files; /* of rank 0 */
    ImportOptions import;
    int on_bad_file; /* place in on_bad_files */
    bool verbose, quiet;
} Arguments;
_Static_assert((int)CLI_TEXT == (int)IMPORT_TEXT, "cli_set writes into ImportOptions");

#define NAME_KIND(name) #name,
static const char *const kinds[] = {IMPORT_KINDS(NAME_KIND) NULL};
static const char *const headers[] = {"auto", "yes", "no", NULL};      /* TextHeader */
static const char *const types[] = {"auto", "uint8", "float32", NULL}; /* ImportType */
static const char *const on_bad_files[] = {"stop", "skip", NULL};

#define OF(field)                   .offset = offsetof(Arguments, import.field)
#define TEXT(field, shown)          OPTION_TEXT, OF(field), .argument = shown
#define NUMBER(field, shown, usual) OPTION_NUMBER, OF(field), .argument = shown, .fallback = usual
static const Option options[] = {
    {.name = "kind",
     .type = OPTION_TEXT,
     .offset = offsetof(Arguments, kind),
     .argument = "KIND",
     .positional = true,
     .required = true,
     .choices = kinds,
     .help = "of the files"},
    {.name = "file",
     .type = OPTION_WORDS,
     .offset = offsetof(Arguments, files),
     .argument = "FILE...",
     .positional = true,
     .help = "files or folders"},
    {.name = "output",
     .key = 'o',
     .type = TEXT(output, "FILE.h5"),
     .endings = ".h5 .hdf5",
     .help = "dataset file to write"},
    {.name = "force", .key = 'f', .type = OPTION_FLAG, OF(force), .help = "replace FILE if it exists"},
    {.name = "class-names", .type = TEXT(class_names, "A,B,..."), .help = "in the order of the class numbers"},
    {.name = "classes-file", .type = TEXT(classes_file, "FILE"), .help = "the same, a text file, one name a line"},
    {.name = "origin", .type = TEXT(origin, "TEXT"), .help = "where the data are from, kept in the file"},
    {.name = "validation-split",
     .type = OPTION_NUMBER,
     OF(validation_split),
     .argument = "FRACTION",
     .fallback = "0",
     .min = 0,
     .max = 0.9,
     .help = "random part of train that becomes val"},
    {.name = "seed",
     .type = OPTION_SIZE,
     OF(seed),
     .argument = "N",
     .fallback = "0",
     .max = 9e15,
     .help = "of --validation-split"},
    {.name = "on-bad-file",
     .type = OPTION_CHOICE,
     .offset = offsetof(Arguments, on_bad_file),
     .argument = "KIND",
     .fallback = "stop",
     .choices = on_bad_files,
     .help = "what to do when an example cannot be read: end there, or leave it out, name it and go on"},
    {.name = "threads",
     .type = OPTION_SIZE,
     OF(threads),
     .argument = "N",
     .fallback = "0",
     .max = 256,
     .help = "of each process; 0: one under mpirun, else as many as there are processors"},
    {.name = "verbose",
     .key = 'v',
     .type = OPTION_FLAG,
     .offset = offsetof(Arguments, verbose),
     .group = "Display",
     .help = "tell more"},
    {.name = "quiet",
     .key = 'q',
     .type = OPTION_FLAG,
     .offset = offsetof(Arguments, quiet),
     .help = "print errors and warnings only"},
/* Of single kinds, from here on. */
#define OWN_OPTIONS "train-images"
    {.name = "train-images",
     .type = TEXT(images[DATASET_TRAIN], "FILE"),
     .help = "images of train",
     .group = "idx, npy: files named one by one"},
    {.name = "train-labels", .type = TEXT(labels[DATASET_TRAIN], "FILE"), .help = "labels of train"},
    {.name = "val-images", .type = TEXT(images[DATASET_VAL], "FILE"), .help = "images of val"},
    {.name = "val-labels", .type = TEXT(labels[DATASET_VAL], "FILE"), .help = "labels of val"},
    {.name = "test-images", .type = TEXT(images[DATASET_TEST], "FILE"), .help = "images of test"},
    {.name = "test-labels", .type = TEXT(labels[DATASET_TEST], "FILE"), .help = "labels of test"},
    {.name = "train",
     .type = TEXT(split[DATASET_TRAIN], "FILE"),
     .help = "the file of train, where its name does not tell",
     .group = "csv, series"},
    {.name = "val", .type = TEXT(split[DATASET_VAL], "FILE"), .help = "that of val"},
    {.name = "test", .type = TEXT(split[DATASET_TEST], "FILE"), .help = "that of test"},
    {.name = "label",
     .type = TEXT(label, "COLUMN"),
     .help = "the class: first, last, a number from 1 on, or a name of the first line; none: not known, to be "
             "predicted; of series first when not given"},
    {.name = "target",
     .type = TEXT(target, "COLUMN,..."),
     .repeated = true,
     .help = "numbers to be predicted, instead of a class"},
    {.name = "ignore", .type = TEXT(ignore, "COLUMN,..."), .repeated = true, .help = "columns that are not read"},
    {.name = "separator",
     .type = TEXT(separator, "CHAR"),
     .help = "between fields: , ; | tab blank; when not given, what the first line has"},
    {.name = "header",
     .type = OPTION_CHOICE,
     OF(header),
     .argument = "KIND",
     .fallback = "auto",
     .choices = headers,
     .help = "whether the first line names the columns; auto: when no number is in it"},
    {.name = "shape",
     .type = TEXT(shape, "HxWxC"),
     .help = "of an example; when not given, a plain vector (csv), or what the array says (npy); LxC are series",
     .group = "csv, npy"},
    {.name = "type",
     .type = OPTION_CHOICE,
     OF(type),
     .argument = "KIND",
     .fallback = "auto",
     .choices = types,
     .help = "of x; auto: uint8 for examples of three dimensions that hold whole numbers up to 255, else float32"},
    {.name = "value-max",
     .type = OPTION_NUMBER,
     OF(value_max),
     .argument = "X",
     .above_min = true,
     .help = "largest value that x may have, by which training divides; else 255 for uint8, 1 for float32"},
    {.name = "channels",
     .type = OPTION_SIZE,
     OF(channels),
     .argument = "N",
     .min = 1,
     .max = 1e6,
     .help = "of a sample, 1 when not given; images: 1 grey, 3 colour, when not given what the pictures have",
     .group = "series"},
    {.name = "planar",
     .type = OPTION_FLAG,
     OF(planar),
     .help = "all samples (npy: pixels) of the first channel, then all of the second, ...; else channels come last"},
    {.name = "normalise",
     .type = OPTION_FLAG,
     OF(normalise),
     .help = "each channel of each series to mean 0 and deviation 1"},
    {.name = "coarse",
     .type = OPTION_FLAG,
     OF(coarse),
     .help = "the 20 coarse classes, not the 100",
     .group = "cifar100"},
    {.name = "label-from",
     .type = TEXT(label_from, "PATTERN"),
     .help = "labels are the part {label} of file names, as in {label}_*; none: not known, to be predicted; else the "
             "names of folders",
     .group = "wav"},
    {.name = "val-match",
     .type = TEXT(match[DATASET_VAL], "PATTERN"),
     .help = "files with such names (* ? [0-9] as in a shell) become val"},
    {.name = "test-match", .type = TEXT(match[DATASET_TEST], "PATTERN"), .help = "the same for test"},
    {.name = "val-list",
     .type = TEXT(list[DATASET_VAL], "FILE"),
     .help = "files named in this text file, one a line, become val"},
    {.name = "test-list", .type = TEXT(list[DATASET_TEST], "FILE"), .help = "the same for test"},
    {.name = "seconds",
     .type = NUMBER(seconds, "X", "1"),
     .above_min = true,
     .max = 3600,
     .help = "of each sound: longer ones are cut, shorter ones filled up with silence"},
    {.name = "rate",
     .type = NUMBER(rate, "HZ", "0"),
     .max = 1e6,
     .help = "samples a second to which sounds are brought; 0: that of the first file"},
    {.name = "window",
     .type = NUMBER(window, "MS", "25"),
     .above_min = true,
     .max = 10000,
     .help = "milliseconds of sound that a row of the spectrogram is made of"},
    {.name = "hop",
     .type = NUMBER(hop, "MS", "10"),
     .above_min = true,
     .max = 10000,
     .help = "milliseconds from one row to the next"},
    {.name = "bands",
     .type = OPTION_SIZE,
     OF(bands),
     .argument = "N",
     .fallback = "40",
     .min = 1,
     .max = 4096,
     .help = "mel bands: columns of the spectrogram"},
    {.name = "size",
     .type = TEXT(size, "N|HxW"),
     .help = "pixels of each picture's sides; when not given, the pictures' own size where all have the same, else 224",
     .group = "images; also idx, cifar10, cifar100, npy of bytes"},
    {.name = "resize",
     .type = TEXT(resize, "KIND"),
     .choices = image_fits,
     .help = "to that size: crop the middle (when not given), pad with black, or squash"},
    {.name = "keep-encoded",
     .type = OPTION_FLAG,
     OF(keep_encoded),
     .help = "keep the files' bytes, to be decoded when they are read"},
};
static const CliProgram program = {
    .name = "cnn_import",
    .summary = "Makes a dataset file of files in another format. An import that was interrupted\n"
               "goes on when the same command is given again.",
    .common = "output force class-names validation-split on-bad-file label size resize keep-encoded quiet",
    .examples = "Examples:\n"
                "  cnn_import idx train-images-idx3-ubyte.gz train-labels-idx1-ubyte.gz \\\n"
                "      t10k-images-idx3-ubyte.gz t10k-labels-idx1-ubyte.gz -o mnist.h5\n"
                "  cnn_import images photos --size 224 -o photos.h5",
    .options = options,
    .option_count = sizeof options / sizeof *options,
};

/* Is `name` one of the words of `list`? */
static bool is_word(const char *name, const char *list) {
    size_t length = strlen(name);
    for (const char *at = list; (at = strstr(at, name)) != NULL; at += length)
        if ((at == list || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}

/* No option of another kind. */
static Status check_options(const ImportKind *kind, const OptionSource source[]) {
    size_t own = (size_t)(cli_find(&program, OWN_OPTIONS) - options);
    for (size_t i = own; i < program.option_count; i++)
        if (source[i] == SOURCE_GIVEN && !is_word(options[i].name, kind->options))
            return status_fail(STATUS_USAGE, "--%s is not for %s. See cnn_import --help.", options[i].name, kind->name);
    return STATUS_OK;
}

static Status check(void *values, const OptionSource *source) {
    Arguments *arguments = values;
    for (size_t i = 0; i < arguments->files.count; i++)
        if (arguments->files.list[i][0] == '\0' || strlen(arguments->files.list[i]) >= IMPORT_TEXT)
            return status_fail(STATUS_USAGE, "the name of a file is empty, or longer than %d bytes", IMPORT_TEXT - 1);
    arguments->import.skip = arguments->on_bad_file == 1;
    const ImportKind *kind = import_find(arguments->kind);
    if (arguments->import.output[0] == '\0')
        return status_fail(STATUS_USAGE, "say where the dataset goes, with --output FILE.h5: cnn_import %s %s (%s)",
                           kind->name, kind->arguments, kind->help);
    return check_options(kind, source);
}

/* paths[count], each followed by its text in one block, are rank 0's words on all ranks. */
static Status share_files(Dist *dist, const CliWords *words, ImportOptions *import, char ***paths) {
    size_t count = words->count, size = 0;
    bool root = dist_rank(dist) == 0;
    for (size_t i = 0; root && i < count; i++)
        size += strlen(words->list[i]) + 1;
    dist_broadcast(dist, &size, sizeof size);
    TRY(dist_agree(dist, memory_alloc(count * sizeof **paths + size, 1, "names of files", (void **)paths)));
    char *text = (char *)(*paths + count);
    for (size_t i = 0; root && i < count; i++)
        text = stpcpy(text, words->list[i]) + 1;
    text = (char *)(*paths + count);
    dist_broadcast(dist, text, size);
    for (size_t i = 0; i < count; text += strlen(text) + 1)
        (*paths)[i++] = text;
    import->paths = *paths;
    import->path_count = count;
    return STATUS_OK;
}

static Status run(Dist *dist, int argc, char **argv) {
    static Arguments arguments;
    char **paths;
    bool exit_now;
    TRY(program_arguments(dist, &program, argc, argv, check, &arguments, sizeof arguments, &exit_now));
    if (exit_now)
        return STATUS_OK;
    log_set_level(arguments.quiet ? LOG_QUIET : arguments.verbose ? LOG_VERBOSE : LOG_NORMAL);
    TRY(share_files(dist, &arguments.files, &arguments.import, &paths));
    Status status = importer_run(dist, import_find(arguments.kind), &arguments.import);
    memory_free(paths);
    return status;
}

int main(int argc, char **argv) {
    return program_run(&program, run, argc, argv);
}
