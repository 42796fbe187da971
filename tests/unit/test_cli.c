/* SPDX-License-Identifier: Apache-2.0
 *
 * Command lines: words, numbers, and what --help makes of a table: the short and the long form, the manual page, the
 * completion for bash. */
#include "base/memory.h"
#include "train/config.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define assert_ok(call)                                                                                                \
    do {                                                                                                               \
        if ((call) != STATUS_OK)                                                                                       \
            fail_msg("%s: %s", #call, status_message());                                                               \
    } while (0)

static void numbers_read_back(void **state) {
    (void)state;
    const double values[] = {0.1, 1.0 / 3, 1e-7, 60000, 5e-324, 1.7976931348623157e308, 123456789012345678.0, -0.25};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char text[CLI_NUMBER];
        assert_true(strtod(cli_number(values[i], text), NULL) == values[i]);
    }
    char text[CLI_NUMBER];
    assert_string_equal(cli_number(0.1, text), "0.1");
}

/* ---- a program with words ---- */

typedef struct Words {
    char run[CLI_TEXT], file[CLI_TEXT];
    CliWords more;
    size_t n;
} Words;

static void positional_words(void **state) {
    (void)state;
    static const Option options[] = {
        {.name = "run",
         .type = OPTION_TEXT,
         .offset = offsetof(Words, run),
         .argument = "RUN",
         .help = "a run",
         .positional = true,
         .required = true},
        {.name = "file",
         .type = OPTION_TEXT,
         .offset = offsetof(Words, file),
         .argument = "FILE",
         .help = "a file",
         .positional = true},
        {.name = "number",
         .key = 'n',
         .type = OPTION_SIZE,
         .offset = offsetof(Words, n),
         .argument = "N",
         .fallback = "4",
         .min = 1,
         .help = "how many"},
    };
    const CliProgram program = {.name = "cnn_words", .summary = "", .options = options, .option_count = 3};
    OptionSource source[3] = {0};
    Words words = {0};
    bool exit_now;
    assert_ok(cli_parse(&program, 3, (char *[]){"cnn_words", "-n5", "run1", NULL}, &words, source, &exit_now));
    cli_defaults(&program, &words, source);
    assert_string_equal(words.run, "run1");
    assert_string_equal(words.file, "");
    assert_int_equal(words.n, 5);
    assert_int_equal(source[1], SOURCE_NONE);
    assert_int_equal(cli_parse(&program, 1, (char *[]){"cnn_words", NULL}, &words, source, &exit_now), STATUS_USAGE);
    assert_string_equal(status_message(), "RUN is missing. See cnn_words --help.");
    char *many[] = {"cnn_words", "a", "b", "c", NULL};
    assert_int_equal(cli_parse(&program, 4, many, &words, source, &exit_now), STATUS_USAGE);
    assert_non_null(strstr(status_message(), "c: not an option"));
}

static void all_words_that_are_left(void **state) {
    (void)state;
    static const Option options[] = {
        {.name = "run", .type = OPTION_TEXT, .offset = offsetof(Words, run), .argument = "RUN", .positional = true},
        {.name = "files",
         .type = OPTION_WORDS,
         .offset = offsetof(Words, more),
         .argument = "FILE...",
         .positional = true,
         .required = true},
        {.name = "number", .key = 'n', .type = OPTION_SIZE, .offset = offsetof(Words, n), .argument = "N"},
    };
    const CliProgram program = {.name = "cnn_words", .summary = "", .options = options, .option_count = 3};
    OptionSource source[3] = {0};
    Words words = {0};
    bool exit_now;
    char *three[] = {"cnn_words", "a", "b", "-n", "3", "c", "d", NULL};
    assert_ok(cli_parse(&program, 7, three, &words, source, &exit_now));
    assert_string_equal(words.run, "a");
    assert_int_equal(words.more.count, 3);
    assert_string_equal(words.more.list[2], "d");
    assert_int_equal(words.n, 3);
    char *one[] = {"cnn_words", "a", NULL};
    assert_int_equal(cli_parse(&program, 2, one, &words, source, &exit_now), STATUS_USAGE);
    assert_string_equal(status_message(), "FILE... is missing. See cnn_words --help.");
}

/* ---- --help ------------------------------------------------------------------------------------------------------ */

/* What cnn_train prints to stdout for such a command line, after which it ends. */
static void printed(char **argv, char *text, size_t size) {
    static Config config;
    bool exit_now = false;
    int argc = 0;
    while (argv[argc])
        argc++;
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    FILE *file = tmpfile();
    dup2(fileno(file), STDOUT_FILENO);
    Status status = config_parse(argc, argv, &config, &exit_now);
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    rewind(file);
    size_t length = fread(text, 1, size - 1, file);
    text[length] = '\0';
    fclose(file);
    assert_int_equal(status, STATUS_OK);
    assert_true(exit_now);
}

static void help_names_every_option_in_80_columns(void **state) {
    (void)state;
    static char text[40000];
    char *argv_all[] = {"cnn_train", "--lr", "1", "--help=all", "--nonsense", NULL};
    char *version[] = {"cnn_train", "-V", NULL};
    printed(argv_all, text, sizeof text);
    const CliProgram *program = config_program();
    for (size_t i = 0; i < program->option_count; i++) {
        char name[64];
        snprintf(name, sizeof name, "--%s", program->options[i].name);
        if (!strstr(text, name))
            fail_msg("%s is missing", name);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(program->options[i].name, program->options[j].name);
    }
    assert_non_null(strstr(text, "Usage: cnn_train"));
    assert_non_null(strstr(text, "mpirun -np 8 cnn_train"));
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        if (strlen(line) > 79)
            fail_msg("longer than 79 columns: %s", line);
    printed(version, text, sizeof text);
    assert_memory_equal(text, "cnn_train ", 10);
}

/* The form without =all fits a screen. */
static void short_help(void **state) {
    (void)state;
    static char text[20000];
    char *argv[] = {"cnn_train", "-h", NULL};
    size_t lines = 0;
    printed(argv, text, sizeof text);
    assert_non_null(strstr(text, "mpirun -np 8 cnn_train"));
    assert_non_null(strstr(text, "--data=FILE"));
    assert_null(strstr(text, "--cycle-decay"));
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        lines++;
        if (strlen(line) > 79)
            fail_msg("longer than 79 columns: %s", line);
    }
    assert_in_range(lines, 20, 40);
}

static void other_forms(void **state) {
    (void)state;
    static char text[40000];
    char *man[] = {"cnn_train", "--help=man", NULL}, *bash[] = {"cnn_train", "--help=bash", NULL};
    char *more[] = {"cnn_train", "--help=more", NULL};
    static Config config;
    bool exit_now;
    printed(man, text, sizeof text);
    assert_memory_equal(text, ".TH CNN_TRAIN 1", 15);
    assert_non_null(strstr(text, "\\fB\\-\\-cycle\\-decay\\fR=\\fIX\\fR"));
    for (const char *line = text; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
        if (*line == '.' && strncmp(line, ".TH ", 4) && strncmp(line, ".SH ", 4) && strncmp(line, ".SS ", 4) &&
            strncmp(line, ".TP\n", 4) && strncmp(line, ".B", 2) && strncmp(line, ".I ", 3) && strncmp(line, ".nf", 3) &&
            strncmp(line, ".fi", 3))
            fail_msg("a line of text is taken for a request: %.40s", line);
    printed(bash, text, sizeof text);
    assert_non_null(strstr(text, "complete -F _cnn_train cnn_train\n"));
    assert_int_equal(config_parse(2, more, &config, &exit_now), STATUS_USAGE);
    assert_string_equal(status_message(), "--help=more: must be one of all, man, bash");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_read_back),
        cmocka_unit_test(positional_words),
        cmocka_unit_test(all_words_that_are_left),
        cmocka_unit_test(help_names_every_option_in_80_columns),
        cmocka_unit_test(short_help),
        cmocka_unit_test(other_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
