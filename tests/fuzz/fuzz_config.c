/* SPDX-License-Identifier: Apache-2.0
 *
 * Options: a configuration file, and the lines of the input as a command line. */
#include "fuzz/fuzz.h"
#include "train/config.h"
#include <string.h>

enum { MOST_ARGUMENTS = 64 };

static void parse(int argc, char **argv) {
    static Config config;
    bool exit_now;
    (void)config_parse(argc, argv, &config, &exit_now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char text[8192], *arguments[MOST_ARGUMENTS + 2] = {"cnn_train"};
    char *file[] = {"cnn_train", "--config", (char *)fuzz_path(data, size), NULL};
    parse(3, file);
    if (size >= sizeof text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    int count = 1;
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL && count < MOST_ARGUMENTS;
         line = strtok_r(NULL, "\n", &rest))
        if (strcmp(line, "--help") != 0 && strcmp(line, "--version") != 0)
            arguments[count++] = line;
    parse(count, arguments);
    return 0;
}
