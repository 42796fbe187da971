/* SPDX-License-Identifier: Apache-2.0
 *
 * Completion for bash.  The script is one function: what a value may be, by the option in front of it; else options, or
 * the words that are no options. */
#include "train/cli_help.h"
#include <string.h>

/* The scripts in launch/ take the options of cnn_train after their own, which they tell by --help. */
static const char *const wrappers[] = {"local", "slurm-submit", "sweep"};

/* Functions that all programs' scripts bring along.  COMP_WORDS takes --option=value for three words. */
static const char common[] =
    "_cnn_words() { # WORD...\n"
    "    local line\n"
    "    while read -r line; do COMPREPLY+=(\"$line\"); done < <(compgen -W \"$*\" -- \"$word\")\n"
    "}\n"
    "_cnn_files() { # PATTERN...: files of these, and folders on the way to them\n"
    "    local pattern line\n"
    "    compopt -o filenames 2>/dev/null\n"
    "    while read -r line; do COMPREPLY+=(\"$line\"); done < <(compgen -d -- \"$word\")\n"
    "    for pattern; do\n"
    "        while read -r line; do [ -d \"$line\" ] || COMPREPLY+=(\"$line\"); done "
    "< <(compgen -f -X \"!$pattern\" -- \"$word\")\n"
    "    done\n"
    "}\n";

/* Words that are known: the choices, and what else the program has a list of. */
static void put_words(const Option *option, const char *indent, FILE *stream) {
    if (!option->choices && !option->words)
        return;
    fprintf(stream, "%s_cnn_words", indent);
    for (size_t i = 0; option->choices && option->choices[i]; i++)
        fprintf(stream, " %s", option->choices[i]);
    for (size_t i = 0; option->words && option->words(i); i++)
        fprintf(stream, " %s", option->words(i));
    fputc('\n', stream);
}

/* Patterns and words between spaces.  "/", a folder, comes with every pattern. */
static void put_values(const char *values, const char *indent, FILE *stream) {
    char copy[256], *rest = copy, words[256] = "", patterns[256] = "";
    bool files = false;
    snprintf(copy, sizeof copy, "%s", values);
    for (char *value; (value = strsep(&rest, " ")) != NULL;) {
        size_t w = strlen(words), p = strlen(patterns);
        files |= strchr(value, '*') || *value == '/';
        if (strchr(value, '*'))
            snprintf(patterns + p, sizeof patterns - p, " '%s'", value);
        else if (*value != '/')
            snprintf(words + w, sizeof words - w, " %s", value);
    }
    if (words[0])
        fprintf(stream, "%s_cnn_words%s\n", indent, words);
    if (files)
        fprintf(stream, "%s_cnn_files%s\n", indent, patterns);
}

/* "*.h5 *.keras /" for an option without .values. */
static const char *usual_values(const Option *option, char text[64]) {
    const char *argument = option->argument ? option->argument : "";
    if (option->values)
        return option->values;
    if (option->endings) {
        char endings[64], *rest = endings;
        size_t used = 0;
        snprintf(endings, sizeof endings, "%s", option->endings);
        for (char *ending; (ending = strsep(&rest, " ")) != NULL && used < 64;)
            used += (size_t)snprintf(text + used, 64 - used, "%s*%s", used ? " " : "", ending);
        return text;
    }
    if (strncmp(argument, "RUN", 3) == 0)
        return "*.h5 *.keras";
    if (strncmp(argument, "FOLDER", 6) == 0)
        return "/";
    return strncmp(argument, "FILE", 4) == 0 || strncmp(argument, "INPUT", 5) == 0 ? "*" : NULL;
}

/* The commands that suggest values of an option: none for a number or a name. */
static void put_suggestions(const Option *option, const char *indent, FILE *stream) {
    char text[64];
    const char *values = usual_values(option, text);
    put_words(option, indent, stream);
    if (values)
        put_values(values, indent, stream);
}

static void put_case(const Option *option, FILE *stream) {
    if (option->key)
        fprintf(stream, "    -%c | --%s)\n", option->key, option->name);
    else
        fprintf(stream, "    --%s)\n", option->name);
    put_suggestions(option, "        ", stream);
    fputs("        return\n        ;;\n", stream);
}

static void put_options(const CliProgram *program, FILE *stream) {
    fputs("_cnn_words --help --help=all --version", stream);
    for (size_t i = 0; i < program->option_count; i++)
        if (!program->options[i].positional && program->options[i].help)
            fprintf(stream, " --%s", program->options[i].name);
}

static void put_wrappers(const char *function, FILE *stream) {
    for (size_t i = 0; i < sizeof wrappers / sizeof *wrappers; i++)
        fprintf(stream, "complete -F %s launch/%s ./launch/%s\n", function, wrappers[i], wrappers[i]);
}

void cli__bash(const CliProgram *program, FILE *stream) {
    fprintf(stream, "# Completion of %s for bash, made by %s --help=bash.\n%s", program->name, program->name, common);
    fprintf(stream,
            "_%s() {\n"
            "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
            "    COMPREPLY=()\n"
            "    [ \"$before\" = = ] && before=${COMP_WORDS[COMP_CWORD - 2]}\n"
            "    [ \"$word\" = = ] && word=\n"
            "    case $before in\n",
            program->name);
    for (size_t i = 0; i < program->option_count; i++)
        if (!program->options[i].positional && program->options[i].type != OPTION_FLAG)
            put_case(&program->options[i], stream);
    fputs("    esac\n    if [[ $word == -* ]]; then\n        ", stream);
    put_options(program, stream);
    if (program->trains)
        fputs("\n        [[ ${1##*/} == cnn_* ]] || _cnn_words \"$(\"$1\" --help 2>/dev/null | grep -oE -- "
              "'(^| |,)--[a-z][a-z-]*')\"",
              stream);
    fputs("\n        return\n    fi\n", stream);
    for (size_t i = 0; i < program->option_count; i++)
        if (program->options[i].positional && program->options[i].help)
            put_suggestions(&program->options[i], "    ", stream);
    fprintf(stream, "    return 0\n}\ncomplete -F _%s %s\n", program->name, program->name);
    if (program->trains)
        put_wrappers("_cnn_train", stream);
}
