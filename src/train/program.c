/* SPDX-License-Identifier: Apache-2.0 */
#include "train/program.h"
#include "backend/select.h"
#include "base/log.h"
#include "base/memory.h"
#include "train/watchdog.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { START_TIMEOUT = 600 }; /* seconds, as the default of --stall-timeout */

/* Before anything: of a JSON text for which memory is short, jansson drops parts without a word. */
static void start(const char *name) {
    log_set_program(name);
    json_set_alloc_funcs(memory_for_library, free);
}

/* How long MPI may take to start: a rank that does not come, and hosts that do not reach each other, make it wait for
 * ever, without a word.  Each rank looks for --stall-timeout itself, as there is nobody yet to ask. */
static double start_timeout(int argc, char **argv) {
    static const char name[] = "--stall-timeout";
    const Option option = {.name = name + 2, .type = OPTION_DURATION};
    double seconds = START_TIMEOUT;
    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], name, sizeof name - 1) == 0) {
            const char *text = argv[i] + sizeof name - 1;
            text = *text == '=' ? text + 1 : i + 1 < argc ? argv[i + 1] : "";
            if (cli_set(&option, text, &seconds) != STATUS_OK)
                seconds = START_TIMEOUT; /* cli_parse says what is wrong */
        }
    return seconds;
}

int program_run(const CliProgram *program, ProgramWork *work, int argc, char **argv) {
    Dist *dist;
    if (cli_printed(program, argc, argv))
        return STATUS_OK;
    backend_fix_cpu(argv);
    start(program->name);
    Status status = watchdog_start(NULL, start_timeout(argc, argv));
    if (status == STATUS_OK)
        status = dist_init(&argc, &argv, &dist);
    watchdog_stop();
    if (status != STATUS_OK) {
        log_error("%s", status_message());
        return (int)status;
    }
    status = work(dist, argc, argv);
    dist_finish(dist);
    watchdog_stop();
    return (int)status;
}

static Status parse(const CliProgram *program, int argc, char **argv, ProgramCheck *check, void *arguments,
                    bool *exit_now) {
    OptionSource source[CLI_MAX_OPTIONS] = {0};
    TRY(cli_parse(program, argc, argv, arguments, source, exit_now));
    if (*exit_now)
        return STATUS_OK;
    cli_defaults(program, arguments, source);
    return check ? check(arguments, source) : STATUS_OK;
}

Status program_arguments(Dist *dist, const CliProgram *program, int argc, char **argv, ProgramCheck *check,
                         void *arguments, size_t size, bool *exit_now) {
    bool root = dist_rank(dist) == 0;
    *exit_now = false;
    TRY(dist_agree(dist, root ? parse(program, argc, argv, check, arguments, exit_now) : STATUS_OK));
    dist_broadcast(dist, exit_now, sizeof *exit_now);
    dist_broadcast(dist, arguments, size);
    return STATUS_OK;
}

static Status run_alone(const CliProgram *program, int argc, char **argv, void *arguments, ProgramAlone *work) {
    bool exit_now = false;
    TRY(parse(program, argc, argv, NULL, arguments, &exit_now));
    if (!exit_now)
        TRY(work(arguments));
    return log_check_output();
}

int program_run_alone(const CliProgram *program, int argc, char **argv, void *arguments, ProgramAlone *work) {
    start(program->name);
    Status status = run_alone(program, argc, argv, arguments, work);
    if (status != STATUS_OK)
        log_error("%s", status_message());
    return (int)status;
}

json_t *program_json_text(const char *text) {
    json_t *json = json_string(text);
    char *copy;
    if (json || memory_strdup(text, &copy) != STATUS_OK)
        return json;
    for (char *c = copy; *c; c++)
        *c = *c & 0x80 ? '?' : *c;
    json = json_string(copy);
    memory_free(copy);
    return json;
}

Status program_print_json(json_t *json, const char *no_number) {
    char *text = json ? json_dumps(json, JSON_PRESERVE_ORDER) : NULL;
    json_decref(json);
    if (text == NULL)
        return status_fail(STATUS_FAILED, "%s", no_number);
    log_info("%s\n", text);
    free(text);
    return log_check_output();
}
