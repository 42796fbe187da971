/* SPDX-License-Identifier: Apache-2.0 */
#include "train/cli.h"
#include <string.h>

enum { WIDTH = 79, HELP_COLUMN = 29 };

void cli_wrapped(FILE *stream, const char *text, size_t column, size_t indent) {
    bool first = true;
    while (*(text += strspn(text, " ")) != '\0') {
        size_t length = strcspn(text, " ");
        if (!first && column + 1 + length > WIDTH) {
            fprintf(stream, "\n%*s", (int)indent, "");
            column = indent;
            first = true;
        }
        column += (size_t)fprintf(stream, "%s%.*s", first ? "" : " ", (int)length, text);
        first = false;
        text += length;
    }
    fputc('\n', stream);
}

/* "sgd, adam: help text (default adam)" */
static void describe(const Option *option, char *text, size_t size) {
    size_t used = 0;
    for (size_t i = 0; option->choices && option->choices[i] && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", option->choices[i],
                                 option->choices[i + 1] ? ", " : ": ");
    if (used < size)
        used += (size_t)snprintf(text + used, size - used, "%s", option->help);
    if (option->fallback && used < size)
        snprintf(text + used, size - used, " (default %s)", option->fallback);
}

static void print_option(FILE *stream, const char *head, const char *help) {
    size_t column = (size_t)fprintf(stream, "%s", head);
    if (column + 2 > HELP_COLUMN) {
        fputc('\n', stream);
        column = 0;
    }
    fprintf(stream, "%*s", (int)(HELP_COLUMN - column), "");
    cli_wrapped(stream, help, HELP_COLUMN, HELP_COLUMN);
}

void cli_help(const CliProgram *program, FILE *stream) {
    fprintf(stream, "Usage: %s [OPTION...]", program->name);
    for (size_t i = 0; i < program->option_count; i++)
        if (program->options[i].positional)
            fprintf(stream, program->options[i].required ? " %s" : " [%s]", program->options[i].argument);
    fprintf(stream, "\n%s\n", program->summary);
    for (size_t i = 0; i < program->option_count; i++) {
        const Option *option = &program->options[i];
        char head[128], letter[8] = "    ", help[1024];
        if (option->group)
            fprintf(stream, "\n%s:\n", option->group);
        if (option->key)
            snprintf(letter, sizeof letter, "-%c, ", option->key);
        if (option->positional)
            snprintf(head, sizeof head, "  %s", option->argument);
        else
            snprintf(head, sizeof head, "  %s--%s%s%s", letter, option->name, option->argument ? "=" : "",
                     option->argument ? option->argument : "");
        if (option->help == NULL)
            continue;
        describe(option, help, sizeof help);
        print_option(stream, head, help);
    }
    print_option(stream, "  -h, --help", "this text");
    print_option(stream, "  -V, --version", "the version");
    if (program->examples)
        fprintf(stream, "\n%s\n", program->examples);
}
