/* SPDX-License-Identifier: Apache-2.0 */
#include "train/cli_help.h"
#include <string.h>

enum { WIDTH = 79, HELP_COLUMN = 29 };

const CliExit cli__exits[CLI_EXITS] = {
    {STATUS_OK, false, "done"},
    {STATUS_FAILED, false, "failed: file, data, memory, numbers"},
    {STATUS_USAGE, false, "wrong usage"},
    {STATUS_STOPPED, true, "stopped early on request, with a checkpoint: --resume goes on"},
    {STATUS_RETRY, true,
     "a rank hung or computed wrong bits, the last checkpoint is good: "
     "--resume goes on"}};

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

void cli__describe(const Option *option, char text[CLI_DESCRIPTION]) {
    size_t used = 0, size = CLI_DESCRIPTION;
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

/* "  -o, --out=FOLDER" */
static void print_row(FILE *stream, const Option *option, const char *help) {
    char head[128], letter[8] = "    ";
    if (option->key)
        snprintf(letter, sizeof letter, "-%c, ", option->key);
    if (option->positional)
        snprintf(head, sizeof head, "  %s", option->argument);
    else
        snprintf(head, sizeof head, "  %s--%s%s%s", letter, option->name, option->argument ? "=" : "",
                 option->argument ? option->argument : "");
    print_option(stream, head, help);
}

static void print_all(const CliProgram *program, FILE *stream) {
    char help[CLI_DESCRIPTION];
    for (size_t i = 0; i < program->option_count; i++) {
        const Option *option = &program->options[i];
        if (option->group)
            fprintf(stream, "\n%s:\n", option->group);
        if (option->help == NULL)
            continue;
        cli__describe(option, help);
        print_row(stream, option, help);
    }
}

/* A short help ends where an afterthought begins; the default is left to --help=all. */
static void print_short(const Option *option, FILE *stream) {
    char help[CLI_DESCRIPTION];
    Option plain = *option;
    plain.fallback = NULL;
    cli__describe(&plain, help);
    help[strcspn(help, ";")] = '\0';
    print_row(stream, option, help);
}

static void print_common(const CliProgram *program, FILE *stream) {
    char names[1024], *rest = names;
    for (size_t i = 0; i < program->option_count; i++)
        if (program->options[i].positional && program->options[i].help)
            print_short(&program->options[i], stream);
    snprintf(names, sizeof names, "%s", program->common);
    for (char *name; (name = strsep(&rest, " ")) != NULL;) {
        const Option *option = cli_find(program, name);
        CHECK(option, "%s has no option %s", program->name, name);
        print_short(option, stream);
    }
}

static void print_exits(const CliProgram *program, FILE *stream) {
    fputs("\nExit codes:\n", stream);
    for (size_t i = 0; i < CLI_EXITS; i++)
        if (!cli__exits[i].trains || program->trains) {
            fprintf(stream, "  %-3d ", cli__exits[i].code);
            cli_wrapped(stream, cli__exits[i].text, 6, 6);
        }
}

void cli__synopsis(const CliProgram *program, char text[CLI_DESCRIPTION]) {
    size_t used = (size_t)snprintf(text, CLI_DESCRIPTION, "[OPTION...]");
    for (size_t i = 0; i < program->option_count && used < CLI_DESCRIPTION; i++)
        if (program->options[i].positional)
            used += (size_t)snprintf(text + used, CLI_DESCRIPTION - used,
                                     program->options[i].required ? " %s" : " [%s]", program->options[i].argument);
}

static void print_help(const CliProgram *program, bool all, FILE *stream) {
    char synopsis[CLI_DESCRIPTION];
    cli__synopsis(program, synopsis);
    fprintf(stream, "Usage: %s %s\n%s\n", program->name, synopsis, program->summary);
    if (!all && program->common)
        fputc('\n', stream);
    all || !program->common ? print_all(program, stream) : print_common(program, stream);
    print_option(stream, "  -h, --help[=all]",
                 program->common && !all ? "this text; all: every option, with its default" : "this text");
    print_option(stream, "  -V, --version", "the version");
    if (all)
        print_exits(program, stream);
    if (program->examples)
        fprintf(stream, "\n%s\n", program->examples);
}

void cli_help(const CliProgram *program, CliHelp form, FILE *stream) {
    if (form == CLI_HELP_MAN)
        cli__man(program, stream);
    else if (form == CLI_HELP_BASH)
        cli__bash(program, stream);
    else
        print_help(program, form == CLI_HELP_ALL, stream);
}

Status cli_help_form(const char *text, CliHelp *form) {
    static const char *const words[] = {"all", "man", "bash"};
    *form = CLI_HELP_SHORT;
    for (int i = 0; text && i < 3; i++)
        if (strcmp(text, words[i]) == 0)
            *form = (CliHelp)(CLI_HELP_ALL + i);
    if (text && *form == CLI_HELP_SHORT)
        return status_fail(STATUS_USAGE, "--help=%s: must be one of all, man, bash", text);
    return STATUS_OK;
}

bool cli_printed(const CliProgram *program, int argc, char **argv) {
    CliHelp form;
    if (argc != 2 || strncmp(argv[1], "--help=", 7) != 0 || cli_help_form(argv[1] + 7, &form) != STATUS_OK ||
        form == CLI_HELP_ALL)
        return false;
    cli_help(program, form, stdout);
    return true;
}
