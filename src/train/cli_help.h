/* SPDX-License-Identifier: Apache-2.0
 *
 * What the forms of --help (cli_help.c, cli_man.c, cli_bash.c) have in common. */
#ifndef TRAIN_CLI_HELP_H
#define TRAIN_CLI_HELP_H
#include "train/cli.h"

enum { CLI_DESCRIPTION = 1024, CLI_EXITS = 5 };

/* The exit codes; trains: of programs that train. */
typedef struct CliExit {
    int code;
    bool trains;
    const char *text;
} CliExit;
extern const CliExit cli__exits[CLI_EXITS];

/* "sgd, adam: help text (default adam)" */
void cli__describe(const Option *option, char text[CLI_DESCRIPTION]);

/* "[OPTION...] RUN [FILE]" */
void cli__synopsis(const CliProgram *program, char text[CLI_DESCRIPTION]);

void cli__man(const CliProgram *program, FILE *stream);
void cli__bash(const CliProgram *program, FILE *stream);

#endif
