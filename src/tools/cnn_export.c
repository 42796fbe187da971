/* SPDX-License-Identifier: Apache-2.0
 *
 * cnn_export: a trained network as a file for Keras. */
#include "base/log.h"
#include "base/memory.h"
#include "data/preprocess.h"
#include "io/file.h"
#include "io/run.h"
#include "train/export.h"
#include "train/program.h"
#include <string.h>
#include <unistd.h>

typedef struct Arguments {
    char run[CLI_TEXT], out[CLI_TEXT], checkpoint[CLI_TEXT];
    bool without_head, force;
} Arguments;

#define TEXT(field, shown) OPTION_TEXT, .offset = offsetof(Arguments, field), .argument = shown
#define FLAG(field)        OPTION_FLAG, .offset = offsetof(Arguments, field)
static const Option options[] = {
    {.name = "run",
     .type = TEXT(run, "RUN"),
     .positional = true,
     .required = true,
     .help = "run folder, checkpoint, or a .keras or .h5 file of Keras"},
    {.name = "output",
     .key = 'o',
     .type = TEXT(out, "FILE"),
     .values = "*.keras *.h5 *.json",
     .help = "file to write; its name says what: .keras (Keras 3, training goes on there), .h5 (Keras 2 and 3), "
             ".weights.h5 (Keras 3, weights and optimizer), .json (Keras 3, network alone)"},
    {.name = "checkpoint",
     .key = 'c',
     .type = TEXT(checkpoint, "WHICH"),
     .fallback = "best",
     .values = "best final last",
     .help = "of a run folder: best, final, last or a step number"},
    {.name = "without-head",
     .type = FLAG(without_head),
     .help = "leave the classifier off: all behind the last flattening or global pooling that layers with weights "
             "follow; without such, the last layer with weights and all behind it"},
    {.name = "force", .key = 'f', .type = FLAG(force), .help = "replace FILE when it exists"},
};
static const CliProgram program = {
    .name = "cnn_export",
    .summary = "Writes a trained network as a file for Keras.",
    .examples = "Examples:\n  cnn_export run1 -o digits.keras\n  cnn_export run1 -c last -o digits.h5\n"
                "  cnn_export old.h5 -o new.keras",
    .options = options,
    .option_count = sizeof options / sizeof *options,
};

static void tell_numbers(const char *operator, const double numbers[], size_t count) {
    log_info(" %s ", operator);
    for (size_t i = 0; i < count; i++)
        log_info("%s%.9g%s", count == 1 ? "" : i == 0 ? "[" : ", ", numbers[i], count > 1 && i + 1 == count ? "]" : "");
}

/* How an example becomes the network's input, which Keras's files do not say; and what its outputs are. */
static Status tell_input(const Checkpoint *checkpoint) {
    Preprocess preprocess;
    char **names = NULL, shape[SHAPE_TEXT];
    size_t count;
    if (checkpoint->preprocess == NULL)
        return STATUS_OK;
    TRY(preprocess_from_json(checkpoint->preprocess, &preprocess, &names, &count));
    log_info("the network takes x %s%s", shape_format(&preprocess.shape, shape),
             preprocess.mode == PREPROCESS_NONE ? " as it is"
             : preprocess.reverse_channels      ? ", BGR:"
                                                : ":");
    if (preprocess.mode != PREPROCESS_NONE) {
        bool moved = false;
        for (size_t c = 0; c < preprocess.channels; c++)
            moved = moved || preprocess.offset[c] != 0;
        log_info(" x");
        tell_numbers("*", preprocess.scale, preprocess.channels);
        if (moved)
            tell_numbers("+", preprocess.offset, preprocess.channels);
    }
    log_info("\n");
    for (size_t i = 0; i < count; i++)
        log_info("%s%s%s", i == 0 ? "classes: " : ", ", names[i], i + 1 == count ? "\n" : "");
    memory_free(names);
    return STATUS_OK;
}

static Status export_file(void *given) {
    const Arguments *arguments = given;
    ExportForm form;
    Checkpoint *checkpoint = NULL;
    unsigned char *image = NULL;
    char *path = NULL;
    size_t size;
    Status status;
    if (arguments->out[0] == '\0')
        return status_fail(STATUS_USAGE, "--output FILE is missing");
    TRY(export_form(arguments->out, &form));
    if (!arguments->force && access(arguments->out, F_OK) == 0)
        return status_fail(STATUS_USAGE, "%s exists; --force replaces it", arguments->out);
    TRY_GOTO(run_resolve(arguments->run, arguments->checkpoint, &path), done);
    TRY_GOTO(checkpoint_read(path, CHECKPOINT_ANY, &checkpoint), done);
    TRY_GOTO(export_image(checkpoint, path, form, arguments->without_head, &image, &size), done);
    TRY_GOTO(file_write(arguments->out, 1, &(FilePart){image, size}), done);
    log_info("%s written from %s\n", arguments->out, path);
    status = tell_input(checkpoint);
done:
    memory_free(image);
    checkpoint_destroy(checkpoint);
    memory_free(path);
    return status;
}

int main(int argc, char **argv) {
    static Arguments arguments;
    return program_run_alone(&program, argc, argv, &arguments, export_file);
}
