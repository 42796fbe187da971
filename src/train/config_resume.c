/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "train/config.h"
#include <string.h>

/* Appends "name old -> new" to the list, "name old, not new" where it must not be. */
static void append(char *list, size_t size, const char *name, const char *old, const char *arrow, const char *new) {
    size_t used = strlen(list);
    snprintf(list + used, size - used, "%s%s %s%s%s", used ? ", " : "", name, old, arrow, new);
}

bool config_same(const Config *config, const Config *saved) {
    const CliProgram *program = config_program();
    Config before = *saved;
    char now[CLI_TEXT], old[CLI_TEXT];
    cli_defaults(program, &before, before.source); /* of options that are younger than the record */
    for (size_t i = 0; i < program->option_count; i++) {
        const Option *option = &program->options[i];
        if ((option->record == RECORD_FIXED || option->record == RECORD_CHANGES) &&
            strcmp(cli_get(option, config, now), cli_get(option, &before, old)) != 0)
            return false;
    }
    return true;
}

Status config_resume(Config *config, const Config *saved, const char *origin, char **changes) {
    const CliProgram *program = config_program();
    Config before = *saved;
    char wrong[1024] = "", changed[1024] = "", old[CLI_TEXT], new[CLI_TEXT];
    *changes = NULL;
    memcpy(config->directory, saved->directory, sizeof config->directory);
    /* An option that is younger than the record had its default then. */
    cli_defaults(program, &before, before.source);
    for (size_t i = 0; i < program->option_count; i++) {
        const Option *option = &program->options[i];
        bool known = before.source[i] != SOURCE_NONE;
        if (option->record == RECORD_NONE)
            continue;
        snprintf(old, sizeof old, option->choices ? "not given" : "none"); /* "none" may be one of the choices */
        if (known)
            cli_get(option, &before, old);
        if (config->source[i] < SOURCE_FILE) {
            if (known)
                TRY(config_set(config, option->name, old, SOURCE_FILE));
            continue;
        }
        cli_get(option, config, new);
        if (strcmp(old, new) == 0 || option->record == RECORD_FREE)
            continue;
        if (option->record == RECORD_FIXED)
            append(wrong, sizeof wrong, option->name, old, ", not ", new);
        else
            append(changed, sizeof changed, option->name, old, " -> ", new);
    }
    if (wrong[0])
        return status_fail(STATUS_USAGE,
                           "%s was trained with %s. Leave these options out to resume it, or begin a new run from its "
                           "weights with --init-from.",
                           origin, wrong);
    return memory_strdup(changed, changes);
}
