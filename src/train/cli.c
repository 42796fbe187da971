/* SPDX-License-Identifier: Apache-2.0 */
#include "train/cli.h"
#include "base/edit_distance.h"
#include <getopt.h>
#include <string.h>

enum { KEY_HELP = 'h', KEY_VERSION = 'V', KEY_FIRST = 256 }; /* an option without letter has the key KEY_FIRST + row */

const Option *cli_find(const CliProgram *program, const char *name) {
    for (size_t i = 0; i < program->option_count; i++)
        if (strcmp(program->options[i].name, name) == 0)
            return &program->options[i];
    return NULL;
}

/* From `name` to the option's name or, if it is nearer, a word of .also. */
static size_t distance_to(const Option *option, const char *name) {
    char words[96], *rest = words;
    size_t best = edit_distance(name, option->name);
    snprintf(words, sizeof words, "%s", option->also ? option->also : "");
    for (char *word; (word = strsep(&rest, " ")) != NULL;) {
        size_t distance = *word ? edit_distance(name, word) : best;
        best = distance < best ? distance : best;
    }
    return best;
}

const Option *cli_nearest(const CliProgram *program, const char *given) {
    char name[64];
    snprintf(name, sizeof name, "%s", given);
    for (char *c = name; *c; c++)
        *c = *c == '_' ? '-' : *c;
    const Option *nearest = NULL;
    size_t best = strlen(name) / 3 + 2; /* more edits than a third of the letters is another word */
    for (size_t i = 0; i < program->option_count; i++) {
        size_t distance = distance_to(&program->options[i], name);
        if (!program->options[i].positional && distance < best) {
            best = distance;
            nearest = &program->options[i];
        }
    }
    return nearest;
}

void cli_defaults(const CliProgram *program, void *values, OptionSource *source) {
    for (size_t i = 0; i < program->option_count; i++) {
        const Option *option = &program->options[i];
        const char *fallback = option->type == OPTION_FLAG ? "false" : option->fallback;
        if (source[i] != SOURCE_NONE || !fallback)
            continue;
        CHECK(cli_set(option, fallback, values) == STATUS_OK, "default of --%s: %s", option->name, status_message());
        source[i] = SOURCE_DEFAULT;
    }
}

/* A repeated option's further value goes behind the first, with a comma. */
static Status set_given(const CliProgram *program, size_t row, const char *text, void *values, OptionSource *source) {
    const Option *option = &program->options[row];
    char joined[2 * CLI_TEXT];
    if (option->repeated && source[row] == SOURCE_GIVEN) {
        snprintf(joined, sizeof joined, "%s,%s", (const char *)values + option->offset, text);
        text = joined;
    }
    TRY(cli_set(option, text, values));
    source[row] = SOURCE_GIVEN;
    return STATUS_OK;
}

/* getopt says only that `word` is not one option: says why. */
static Status fail_unknown(const CliProgram *program, const char *word, int letter) {
    if (letter)
        return status_fail(STATUS_USAGE, "unknown option -%c. See %s --help.", letter, program->name);
    char name[64] = "";
    sscanf(word, "--%63[^=]", name);
    char list[512] = "";
    size_t used = 0, length = strlen(name);
    for (size_t i = 0; i < program->option_count; i++)
        if (length && strncmp(program->options[i].name, name, length) == 0 && used < sizeof list)
            used +=
                (size_t)snprintf(list + used, sizeof list - used, "%s--%s", used ? ", " : "", program->options[i].name);
    if (used)
        return status_fail(STATUS_USAGE, "option --%s is ambiguous: %s", name, list);
    const Option *taken_back = strncmp(name, "no-", 3) == 0 ? cli_find(program, name + 3) : NULL;
    if (taken_back && taken_back->type == OPTION_FLAG)
        return status_fail(STATUS_USAGE, "unknown option --%s. Write --%s=false.", name, name + 3);
    const Option *nearest = cli_nearest(program, name);
    if (nearest)
        return status_fail(STATUS_USAGE, "unknown option --%s. Did you mean --%s?", name, nearest->name);
    return status_fail(STATUS_USAGE, "unknown option --%s. See %s --help.", name, program->name);
}

/* The row whose key getopt returned. */
static size_t row_of_key(const CliProgram *program, int key) {
    if (key >= KEY_FIRST)
        return (size_t)(key - KEY_FIRST);
    size_t row = 0;
    while (program->options[row].key != key)
        row++;
    return row;
}

typedef struct Getopt {
    struct option longs[CLI_MAX_OPTIONS + 3];
    char shorts[2 * CLI_MAX_OPTIONS + 8];
} Getopt;

/* The table in the form that getopt_long wants. */
static void prepare_getopt(const CliProgram *program, Getopt *g) {
    size_t n = 0, s = 0;
    g->shorts[s++] = ':'; /* missing arguments are told apart from unknown options */
    for (size_t i = 0; i < program->option_count; i++) {
        const Option *option = &program->options[i];
        if (option->positional)
            continue;
        int key = option->key ? option->key : KEY_FIRST + (int)i;
        int argument = option->type == OPTION_FLAG ? optional_argument : required_argument;
        g->longs[n++] = (struct option){option->name, argument, NULL, key};
        if (option->key) {
            g->shorts[s++] = (char)option->key;
            if (argument == required_argument)
                g->shorts[s++] = ':';
        }
    }
    g->longs[n++] = (struct option){"help", optional_argument, NULL, KEY_HELP};
    g->longs[n++] = (struct option){"version", no_argument, NULL, KEY_VERSION};
    g->longs[n] = (struct option){0};
    g->shorts[s++] = KEY_HELP;
    g->shorts[s++] = KEY_VERSION;
    g->shorts[s] = '\0';
}

/* The words that are no options, in the order of the positional rows. */
static Status parse_words(const CliProgram *program, int count, char **words, void *values, OptionSource *source) {
    int next = 0;
    for (size_t i = 0; i < program->option_count; i++) {
        const Option *option = &program->options[i];
        if (!option->positional)
            continue;
        if (next < count && option->type == OPTION_WORDS) {
            *(CliWords *)((char *)values + option->offset) = (CliWords){words + next, (size_t)(count - next)};
            next = count;
        } else if (next < count)
            TRY(set_given(program, i, words[next++], values, source));
        else if (option->required)
            return status_fail(STATUS_USAGE, "%s is missing. See %s --help.", option->argument, program->name);
    }
    if (next < count)
        return status_fail(STATUS_USAGE, "%s: not an option. See %s --help.", words[next], program->name);
    return STATUS_OK;
}

Status cli_parse(const CliProgram *program, int argc, char **argv, void *values, OptionSource *source, bool *exit_now) {
    CHECK(program->option_count <= CLI_MAX_OPTIONS, "too many options");
    Getopt g;
    prepare_getopt(program, &g);
    *exit_now = false;
    opterr = 0; /* messages are ours */
    optind = 0; /* glibc: start anew */
    for (int key; (key = getopt_long(argc, argv, g.shorts, g.longs, NULL)) != -1;) {
        if (key == KEY_HELP || key == KEY_VERSION) {
            CliHelp form;
            TRY(cli_help_form(key == KEY_HELP ? optarg : NULL, &form));
            if (key == KEY_HELP)
                cli_help(program, form, stdout);
            else
                printf("%s %s\n", program->name, CNN_VERSION);
            *exit_now = true;
            return STATUS_OK;
        }
        if (key == '?' && optopt < KEY_FIRST && (optopt == 0 || optopt == ':' || !strchr(g.shorts, optopt)))
            return fail_unknown(program, argv[optind - 1], optopt);
        if (key == '?' || key == ':') {
            bool missing = key == ':';
            const char *name = optopt == KEY_HELP      ? "help"
                               : optopt == KEY_VERSION ? "version"
                                                       : program->options[row_of_key(program, optopt)].name;
            return status_fail(STATUS_USAGE, "option --%s %s. See %s --help.", name,
                               missing ? "needs an argument" : "takes no argument", program->name);
        }
        size_t row = row_of_key(program, key);
        TRY(set_given(program, row, optarg ? optarg : "true", values, source));
    }
    return parse_words(program, argc - optind, argv + optind, values, source);
}
