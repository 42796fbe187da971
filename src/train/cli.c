/* SPDX-License-Identifier: Apache-2.0 */
#include "train/cli.h"
#include <ctype.h>
#include <getopt.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_HELP = 'h', KEY_VERSION = 'V', KEY_FIRST = 256 }; /* an option without letter has the key KEY_FIRST + row */

const char *cli_number(double value, char text[CLI_NUMBER]) {
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, CLI_NUMBER, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    return text;
}

const Option *cli_find(const CliProgram *program, const char *name) {
    for (size_t i = 0; i < program->option_count; i++)
        if (strcmp(program->options[i].name, name) == 0)
            return &program->options[i];
    return NULL;
}

size_t cli_distance(const char *a, const char *b) {
    enum { LONGEST = 40 };
    size_t rows[3][LONGEST + 1], n = strlen(a), m = strlen(b);
    if (n > LONGEST || m > LONGEST)
        return LONGEST;
    size_t *before = rows[0], *last = rows[1], *now = rows[2];
    for (size_t j = 0; j <= m; j++)
        last[j] = j;
    for (size_t i = 1; i <= n; i++) {
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t cost = last[j - 1] + (a[i - 1] != b[j - 1]);
            if (cost > last[j] + 1)
                cost = last[j] + 1;
            if (cost > now[j - 1] + 1)
                cost = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && cost > before[j - 2] + 1)
                cost = before[j - 2] + 1;
            now[j] = cost;
        }
        size_t *oldest = before;
        before = last;
        last = now;
        now = oldest;
    }
    return last[m];
}

/* From `name` to the option's name or, if it is nearer, a word of .also. */
static size_t distance_to(const Option *option, const char *name) {
    char words[96], *rest = words;
    size_t best = cli_distance(name, option->name);
    snprintf(words, sizeof words, "%s", option->also ? option->also : "");
    for (char *word; (word = strsep(&rest, " ")) != NULL;) {
        size_t distance = *word ? cli_distance(name, word) : best;
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

/* "--lr " or "RUN ": how messages name an option. */
static const char *dashes(const Option *option) {
    return option->positional ? "" : "--";
}

static Status check_range(const Option *option, const char *text, double value) {
    bool bounded = option->max > option->min;
    if (value >= option->min && !(option->above_min && value == option->min) && (!bounded || value <= option->max))
        return STATUS_OK;
    char low[CLI_NUMBER], high[CLI_NUMBER + 8] = "";
    if (bounded)
        snprintf(high, sizeof high, " and at most %.15g", option->max);
    return status_fail(STATUS_USAGE, "--%s %s: must be %s %s%s", option->name, text,
                       option->above_min ? "above" : "at least", cli_number(option->min, low), high);
}

/* Whole numbers, exact to 64 bits as digits, and up to 2^53 as "1e6". */
static Status set_size(const Option *option, const char *text, size_t *value) {
    char *end;
    unsigned long long whole = strtoull(text, &end, 10);
    double number = (double)whole;
    if (*end != '\0' || !isdigit((unsigned char)text[0]) || whole > INT64_MAX) {
        number = strtod(text, &end);
        if (*end != '\0' || end == text || !(fabs(number) <= 9007199254740992.0) || number != floor(number))
            return status_fail(STATUS_USAGE, "--%s %s: not a whole number, or too large", option->name, text);
        whole = number < 0 ? 0 : (unsigned long long)number;
    }
    TRY(check_range(option, text, number));
    *value = (size_t)whole;
    return STATUS_OK;
}

static Status set_number(const Option *option, const char *text, double *value) {
    char *end;
    double number = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(number))
        return status_fail(STATUS_USAGE, "--%s %s: not a number", option->name, text);
    TRY(check_range(option, text, number));
    *value = number;
    return STATUS_OK;
}

/* Slurm's [days-]hours:minutes:seconds and minutes:seconds, in seconds; NAN: something else. */
static double clock_time(const char *text) {
    unsigned d = 0, h = 0, m = 0, s = 0, most = 999999; /* a sign gives more */
    int end = 0;
    bool good = sscanf(text, "%6u-%6u:%6u:%6u%n", &d, &h, &m, &s, &end) == 4 ||
                (d = 0, sscanf(text, "%6u:%6u:%6u%n", &h, &m, &s, &end)) == 3 ||
                (h = 0, sscanf(text, "%6u:%6u%n", &m, &s, &end)) == 2;
    good = good && text[end] == '\0' && d <= most && h <= most && m <= most && s <= most;
    return good ? 86400.0 * d + 3600.0 * h + 60.0 * m + s : NAN;
}

static Status set_duration(const Option *option, const char *text, double *value) {
    double seconds = 0;
    const char *at = text;
    bool clock = strchr(text, ':') != NULL;
    do {
        char *end;
        double part = clock ? clock_time(text) : strtod(at, &end), unit = 1;
        if (clock)
            end = (char *)text + strlen(text);
        if (end == at || !isfinite(part))
            return status_fail(STATUS_USAGE, "--%s %s: not a time; write seconds, or for example 1h30m or 1:30:00",
                               option->name, text);
        switch (*end) {
        case 'd':
            unit = 86400;
            break;
        case 'h':
            unit = 3600;
            break;
        case 'm':
            unit = 60;
            break;
        case 's':
        case '\0':
            break;
        default:
            return status_fail(STATUS_USAGE, "--%s %s: unknown unit '%c'; known: d, h, m, s", option->name, text, *end);
        }
        seconds += part * unit;
        at = *end == '\0' ? end : end + 1;
    } while (*at != '\0');
    TRY(check_range(option, text, seconds));
    *value = seconds;
    return STATUS_OK;
}

/* Place of `text` in the option's choices; the message lists them. */
static Status find_choice(const Option *option, const char *text, int *place) {
    char list[512];
    size_t used = 0;
    for (int i = 0; option->choices[i]; i++) {
        if (strcmp(option->choices[i], text) == 0) {
            *place = i;
            return STATUS_OK;
        }
        if (used < sizeof list)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", option->choices[i]);
    }
    return status_fail(STATUS_USAGE, "--%s %s: must be one of %s", option->name, text, list);
}

bool cli_has_ending(const char *name, const char *ending) {
    size_t length = strlen(name), n = strlen(ending);
    return length > n && strcmp(name + length - n, ending) == 0;
}

static Status check_ending(const Option *option, const char *text) {
    char endings[64], list[96] = "", *rest = endings;
    snprintf(endings, sizeof endings, "%s", option->endings);
    for (char *ending; (ending = strsep(&rest, " ")) != NULL;) {
        if (cli_has_ending(text, ending))
            return STATUS_OK;
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", used == 0 ? "" : rest ? ", " : " or ", ending);
    }
    return status_fail(STATUS_USAGE, "--%s %s: the name must end in %s", option->name, text, list);
}

Status cli_set(const Option *option, const char *text, void *values) {
    void *value = (char *)values + option->offset;
    int place = 0;
    switch (option->type) {
    case OPTION_FLAG:
        *(bool *)value = strcmp(text, "true") == 0;
        return STATUS_OK;
    case OPTION_SIZE:
        return set_size(option, text, value);
    case OPTION_NUMBER:
        return set_number(option, text, value);
    case OPTION_DURATION:
        return set_duration(option, text, value);
    case OPTION_CHOICE:
        return find_choice(option, text, value);
    case OPTION_TEXT:
    case OPTION_WORDS:
        break;
    }
    if (option->choices)
        TRY(find_choice(option, text, &place));
    if (strlen(text) >= CLI_TEXT)
        return status_fail(STATUS_USAGE, "%s%s: longer than %d bytes", dashes(option), option->name, CLI_TEXT - 1);
    if (text[0] == '\0')
        return status_fail(STATUS_USAGE, "%s%s: empty", dashes(option), option->name);
    if (option->endings)
        TRY(check_ending(option, text));
    snprintf(value, CLI_TEXT, "%s", text);
    return STATUS_OK;
}

const char *cli_get(const Option *option, const void *values, char text[CLI_TEXT]) {
    const void *value = (const char *)values + option->offset;
    char number[CLI_NUMBER];
    switch (option->type) {
    case OPTION_FLAG:
        snprintf(text, CLI_TEXT, "%s", *(const bool *)value ? "true" : "false");
        break;
    case OPTION_SIZE:
        snprintf(text, CLI_TEXT, "%zu", *(const size_t *)value);
        break;
    case OPTION_NUMBER:
    case OPTION_DURATION:
        snprintf(text, CLI_TEXT, "%s", cli_number(*(const double *)value, number));
        break;
    case OPTION_TEXT:
        snprintf(text, CLI_TEXT, "%s", (const char *)value);
        break;
    case OPTION_CHOICE:
        snprintf(text, CLI_TEXT, "%s", option->choices[*(const int *)value]);
        break;
    case OPTION_WORDS:
        text[0] = '\0';
        break;
    }
    return text;
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
        int argument = option->type == OPTION_FLAG ? no_argument : required_argument;
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
