/* SPDX-License-Identifier: Apache-2.0
 *
 * Command lines.  A program has one table of options; the parser, --help, the range checks and (for cnn_train) the JSON
 * record derive from it.  The table says at which offset of the program's own struct each value lies:
 *
 *     typedef struct Arguments { char run[CLI_TEXT]; size_t batch_size; } Arguments;
 *     static const Option options[] = {
 *         {.name = "run", .type = OPTION_TEXT, .offset = offsetof(Arguments, run), .argument = "RUN",
 *          .positional = true},
 *         {.name = "batch-size", .key = 'b', .type = OPTION_SIZE, .offset = offsetof(Arguments, batch_size),
 *          .argument = "N", .fallback = "256", .min = 1, .max = 1e9, .help = "examples of one block"},
 *     };
 *
 * Every program also has --version and --help; --help=all lists all options, --help=man writes the manual page and
 * --help=bash the completion for bash, all from the table.  Nothing here exits: the caller ends the program, so that
 * under MPI one rank can parse and all ranks end alike. */
#ifndef TRAIN_CLI_H
#define TRAIN_CLI_H
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { CLI_TEXT = 1024, CLI_MAX_OPTIONS = 160 };

typedef enum OptionType {
    OPTION_FLAG,     /* bool: --quiet, or --quiet=false, which takes back what a config.json or the resumed run says */
    OPTION_SIZE,     /* size_t, also "60000", "1e6" */
    OPTION_NUMBER,   /* double */
    OPTION_DURATION, /* double, seconds: "90", "90s", "15m", "1h30m", "2d"; Slurm's "15:00", "1:30:00", "2-00:00:00" */
    OPTION_TEXT,     /* char[CLI_TEXT] */
    OPTION_CHOICE,   /* int: place in `choices` */
    OPTION_WORDS     /* CliWords: all words that are left; the last positional row */
} OptionType;

/* Borrowed from argv, of the rank that parses. */
typedef struct CliWords {
    char *const *list;
    size_t count;
} CliWords;

/* What a difference between the command line and a checkpoint means; used by train/config.h alone. */
typedef enum OptionRecord {
    RECORD_FIXED,   /* decides bits: must be what the run began with */
    RECORD_CHANGES, /* decides bits, but a resume may change it: said in one line */
    RECORD_FREE,    /* decides no bits: changes silently */
    RECORD_NONE     /* belongs to this one call (paths, display): not recorded */
} OptionRecord;

typedef struct Option {
    const char *name; /* "batch-size": of --batch-size and of the JSON key */
    int key;          /* letter of the short form, or 0 */
    OptionType type;
    size_t offset;              /* of the value in the program's struct */
    const char *argument;       /* "N", as --help shows it */
    const char *fallback;       /* default as text, or NULL: stays 0, "" or the first choice, and counts as not set */
    double min, max;            /* OPTION_SIZE, OPTION_NUMBER, OPTION_DURATION: both allowed; max 0: no limit */
    bool above_min;             /* min itself is not allowed */
    const char *const *choices; /* NULL at the end; OPTION_CHOICE, or OPTION_TEXT that must be one of them */
    const char *group;          /* heading in --help; NULL: that of the option before */
    const char *help;           /* without the default and the choices, which are added; NULL: not listed */
    const char *values; /* what --help=bash suggests beside `choices`: words, patterns of files ("*.h5"), "/" for
                                   folders.  NULL: what `endings` says, else by `argument`: FILE, FOLDER, RUN */
    const char *(*words)(size_t i); /* further ones: the i-th, NULL behind the last; or NULL */
    OptionRecord record;
    const char *also; /* what other programs call it, "learning-rate step-size": suggested then; no alias */
    const char
        *endings;    /* OPTION_TEXT: of a file to write: ".h5 .hdf5", one of which the name must end in; NULL: any */
    bool repeated;   /* OPTION_TEXT: given again, the values are joined by commas */
    bool positional; /* not an option but the next word of the command line; `name` is for messages */
    bool required;   /* positional only */
} Option;

/* Where a value came from; of equal things the higher one wins. */
typedef enum OptionSource { SOURCE_NONE, SOURCE_DEFAULT, SOURCE_RECIPE, SOURCE_FILE, SOURCE_GIVEN } OptionSource;

typedef struct CliProgram {
    const char *name;     /* "cnn_train" */
    const char *summary;  /* first lines of --help */
    const char *common;   /* the options of a short --help, in its order: "data model epochs"; NULL: all */
    const char *examples; /* last lines of --help, the first a heading; or NULL */
    bool trains;          /* ends with 75 or 76, too */
    const Option *options;
    size_t option_count; /* at most CLI_MAX_OPTIONS */
} CliProgram;

/* Reads the command line into `values` (the program's zeroed struct) and source[option_count] (zeroed).  Defaults are
 * not filled in: call cli_defaults.  --help and --version print to stdout and set *exit_now; then the program ends with
 * 0.  STATUS_USAGE: unknown option (the message suggests the nearest name), missing or extra argument, value not of the
 * type or out of range. */
Status cli_parse(const CliProgram *program, int argc, char **argv, void *values, OptionSource *source, bool *exit_now);

/* Gives every option of SOURCE_NONE that has a default that default; a flag's is false. */
void cli_defaults(const CliProgram *program, void *values, OptionSource *source);

/* Stores `text` as the option's value after its checks.  STATUS_USAGE. */
Status cli_set(const Option *option, const char *text, void *values);

/* Writes the value as the text that cli_set would take, and returns `text`. */
const char *cli_get(const Option *option, const void *values, char text[CLI_TEXT]);

/* Does a file's name end in `ending` (".h5"), something standing in front of it? */
bool cli_has_ending(const char *name, const char *ending);

/* The option named `name` ("batch-size"), or NULL. */
const Option *cli_find(const CliProgram *program, const char *name);

/* The option with the name, or another program's word for it, most like `name` ('_' being '-'), or NULL when none is
 * near (by edit distance). */
const Option *cli_nearest(const CliProgram *program, const char *name);

/* What --help=FORM prints. */
typedef enum CliHelp { CLI_HELP_SHORT, CLI_HELP_ALL, CLI_HELP_MAN, CLI_HELP_BASH } CliHelp;

/* SHORT: the common options, a line or two of each.  ALL: all of them, in groups, in table order; both in at most 80
 * columns.  MAN: a page of the manual (man(7)).  BASH: a script that bash sources. */
void cli_help(const CliProgram *program, CliHelp form, FILE *stream);

/* "all", "man", "bash"; NULL: short.  STATUS_USAGE. */
Status cli_help_form(const char *text, CliHelp *form);

/* Is the command line nothing but --help=man or --help=bash?  Then it is printed: for a build, before there is MPI. */
bool cli_printed(const CliProgram *program, int argc, char **argv);

/* Prints the words of `text` from column `column` on, in lines of at most 79 columns of which the further ones begin at
 * column `indent`; ends the line. */
void cli_wrapped(FILE *stream, const char *text, size_t column, size_t indent);

/* Shortest decimal text that reads back as exactly `value` ("0.1", "1e-07", "60000"; "nan", "inf").  Returns `text`. */
enum { CLI_NUMBER = 32 };
const char *cli_number(double value, char text[CLI_NUMBER]);

#endif
