/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of options, from text and to text. */
#include "train/cli.h"
#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

const char *cli_number(double value, char text[CLI_NUMBER]) {
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, CLI_NUMBER, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    return text;
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
    return status_fail(STATUS_USAGE, "%s%s %s: must be one of %s", dashes(option),
                       option->positional ? option->argument : option->name, text, list);
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
        return *(bool *)value || strcmp(text, "false") == 0
                   ? STATUS_OK
                   : status_fail(STATUS_USAGE, "--%s=%s: must be true or false", option->name, text);
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
