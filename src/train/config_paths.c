/* SPDX-License-Identifier: Apache-2.0
 *
 * Files that options name, where a run is looked at from another folder than the one that it began in. */
#include "base/utf8.h"
#include "train/config.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool is_here(const char *path) {
    return access(path, F_OK) == 0;
}

const char *config_path(const Config *config, const char *name, char path[CONFIG_PATH]) {
    const Option *option = cli_find(config_program(), name);
    const char *given = (const char *)config + option->offset;
    bool of_this_call = config->source[option - config_program()->options] == SOURCE_GIVEN;
    if (of_this_call || given[0] == '\0' || given[0] == '/' || config->directory[0] == '\0' || is_here(given))
        return given;
    snprintf(path, CONFIG_PATH, "%s/%s", config->directory, given);
    return path;
}

/* The current folder; "": its name is too long, or none that JSON could hold. */
static void find_here(char here[CLI_TEXT]) {
    if (getcwd(here, CLI_TEXT) == NULL)
        here[0] = '\0';
    for (const char *c = here; *c; c += utf8_bytes(c))
        if (utf8_bytes(c) == 0) {
            here[0] = '\0';
            return;
        }
}

void config_settle(Config *config) {
    const Option *data = cli_find(config_program(), "data");
    bool of_this_call = config->source[data - config_program()->options] == SOURCE_GIVEN;
    bool relative = config->data[0] && config->data[0] != '/';
    char here[CLI_TEXT], path[CONFIG_PATH];
    find_here(here);
    if (config->directory[0] == '\0' || (relative && !of_this_call && is_here(config->data))) {
        memcpy(config->directory, here, sizeof here);
        return;
    }
    int length = snprintf(path, sizeof path, "%s/%s", here, config->data);
    if (relative && of_this_call && here[0] && length < CLI_TEXT && strcmp(config->directory, here) != 0)
        memcpy(config->data, path, (size_t)length + 1);
}
