/* SPDX-License-Identifier: Apache-2.0
 *
 * A page of the manual, in the language of man(7). */
#include "io/run.h"
#include "train/cli_help.h"
#include <ctype.h>
#include <string.h>

static const char *const programs[] = {"cnn_train",  "cnn_evaluate", "cnn_predict", "cnn_inspect",
                                       "cnn_import", "cnn_export",   "cnn_plot"};

/* One or several lines of text as they are: roff has a meaning for backslashes, minus signs and a line's first dot or
 * quote. */
static void put(FILE *stream, const char *text) {
    bool first = true;
    for (; *text; text++) {
        if (first && (*text == '.' || *text == '\''))
            fputs("\\&", stream);
        if (*text == '\\')
            fputs("\\e", stream);
        else if (*text == '-')
            fputs("\\-", stream);
        else
            fputc(*text, stream);
        first = *text == '\n';
    }
}

static void section(FILE *stream, const char *title) {
    fprintf(stream, ".SH %s\n", title);
}

/* A paragraph with a tag in bold. */
static void item(FILE *stream, const char *tag, const char *text) {
    fputs(".TP\n.B ", stream);
    put(stream, tag);
    fputc('\n', stream);
    put(stream, text);
    fputc('\n', stream);
}

static void put_option(FILE *stream, const Option *option) {
    char text[CLI_DESCRIPTION];
    fputs(".TP\n", stream);
    if (option->positional) {
        fprintf(stream, ".I %s\n", option->argument);
    } else {
        if (option->key)
            fprintf(stream, "\\fB\\-%c\\fR, ", option->key);
        fputs("\\fB", stream);
        put(stream, "--");
        put(stream, option->name);
        fputs("\\fR", stream);
        if (option->argument) {
            fputs("=\\fI", stream);
            put(stream, option->argument);
            fputs("\\fR", stream);
        }
        fputc('\n', stream);
    }
    cli__describe(option, text);
    put(stream, text);
    fputc('\n', stream);
}

static void put_options(const CliProgram *program, FILE *stream) {
    section(stream, "OPTIONS");
    for (size_t i = 0; i < program->option_count; i++) {
        if (program->options[i].group)
            fprintf(stream, ".SS %s\n", program->options[i].group);
        if (program->options[i].help)
            put_option(stream, &program->options[i]);
    }
    item(stream, "-h, --help[=all|man|bash]", "the most used options; all of them; this page; completion for bash");
    item(stream, "-V, --version", "the version");
}

static bool has_runs(const CliProgram *program) {
    for (size_t i = 0; i < program->option_count; i++) {
        const char *argument = program->options[i].argument;
        if (argument && strncmp(argument, "RUN", 3) == 0)
            return true;
    }
    return false;
}

static void put_files(FILE *stream) {
    section(stream, "FILES");
    fputs("In a run folder:\n", stream);
    item(stream, "step-00000123.h5", "checkpoints, the newest of them, by number of steps");
    item(stream, RUN_BEST, "the checkpoint of the best epoch");
    item(stream, RUN_FINAL, "when all epochs are done");
    item(stream, RUN_METRICS, "a row for each epoch");
    item(stream, RUN_CONFIG, "all options in effect");
    item(stream, RUN_REPORT, "curves, results, examples, options and machine, for a browser");
    item(stream, RUN_TENSORBOARD, "files of events for TensorBoard, with --tensorboard");
}

static void put_ending(const CliProgram *program, FILE *stream) {
    char code[16];
    section(stream, "EXIT STATUS");
    for (size_t i = 0; i < CLI_EXITS; i++)
        if (!cli__exits[i].trains || program->trains) {
            snprintf(code, sizeof code, "%d", cli__exits[i].code);
            item(stream, code, cli__exits[i].text);
        }
    section(stream, "ENVIRONMENT");
    item(stream, "OMP_NUM_THREADS", "threads of each rank; 1 when not set");
    item(stream, "NO_COLOR, TERM=dumb", "no colours on a terminal (without one there are none)");
    item(stream, "COLUMNS", "width of the terminal, where it does not say");
    section(stream, "SEE ALSO");
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
        if (strcmp(programs[i], program->name) != 0) {
            fputs(".BR ", stream);
            put(stream, programs[i]);
            fputs(" (1),\n", stream);
        }
    fputs(".BR mpirun (1)\n", stream);
}

void cli__man(const CliProgram *program, FILE *stream) {
    char text[CLI_DESCRIPTION];
    fputs(".TH ", stream);
    for (const char *c = program->name; *c; c++)
        fputc(toupper((unsigned char)*c), stream);
    fprintf(stream, " 1 \"\" \"cnn %s\" \"User Commands\"\n", CNN_VERSION);
    section(stream, "NAME");
    snprintf(text, sizeof text, "%.*s", (int)strcspn(program->summary, "."), program->summary);
    put(stream, program->name);
    fputs(" \\- ", stream);
    for (char *c = text; *c; c++)
        *c = *c == '\n' ? ' ' : *c;
    put(stream, text);
    fputc('\n', stream);
    section(stream, "SYNOPSIS");
    fprintf(stream, ".B %s\n", program->name);
    cli__synopsis(program, text);
    put(stream, text);
    fputc('\n', stream);
    section(stream, "DESCRIPTION");
    put(stream, program->summary);
    fputc('\n', stream);
    put_options(program, stream);
    if (program->examples) {
        section(stream, "EXAMPLES");
        fputs(".nf\n", stream);
        put(stream, program->examples + strcspn(program->examples, "\n") + 1);
        fputs("\n.fi\n", stream);
    }
    if (has_runs(program))
        put_files(stream);
    put_ending(program, stream);
}
