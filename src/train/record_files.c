/* SPDX-License-Identifier: Apache-2.0 */
#include "train/record_files.h"
#include "base/memory.h"
#include "io/digest.h"
#include "io/file.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

typedef struct FileOption {
    const char *name;
    size_t offset;   /* in Config */
    bool read_again; /* on a resume; else the checkpoint holds what was in it */
    const char *way_out;
} FileOption;
static const FileOption file_options[] = {
    {"model", offsetof(Config, model), false, "Leave --model out to go on with the network of the run"},
    {"class-weights", offsetof(Config, class_weights), true, "Put the old file back"},
};
enum { FILE_OPTIONS = sizeof file_options / sizeof *file_options };

static char *value_of(const FileOption *option, const Config *config) {
    return (char *)(uintptr_t)config + option->offset;
}

/* Other values are words: names of networks, balanced, CLASS=X. */
static bool is_file_name(const char *text) {
    static const char *const endings[] = {".json", ".h5", ".hdf5", ".keras"};
    const char *dot = strrchr(text, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; i++)
        if (strcmp(dot, endings[i]) == 0)
            return true;
    return false;
}

static Status digest_file(const char *path, char hex[DIGEST_HEX]) {
    unsigned char *bytes;
    size_t size;
    Digest *digest = NULL;
    TRY(file_read(path, &bytes, &size));
    Status status = digest_create(&digest);
    if (status == STATUS_OK)
        status = digest_bytes(digest, bytes, size);
    if (status == STATUS_OK)
        status = digest_finish(digest, hex);
    digest_destroy(digest);
    memory_free(bytes);
    return status;
}

Status record_files(const Config *config, char **json) {
    char text[FILE_OPTIONS * 128] = "", hex[DIGEST_HEX];
    for (size_t i = 0; i < FILE_OPTIONS; i++) {
        char path[CONFIG_PATH];
        size_t used = strlen(text);
        if (!is_file_name(value_of(&file_options[i], config)))
            continue;
        TRY(digest_file(config_path(config, file_options[i].name, path), hex));
        snprintf(text + used, sizeof text - used, "%s\"%s\": \"%s\"", used ? ", " : "", file_options[i].name, hex);
    }
    return memory_format(json, "{%s}", text);
}

static Status compare(const FileOption *option, const Config *config, Config *saved, const char *expected,
                      const char *origin) {
    bool given = config_given(config, option->name);
    const char *named = value_of(option, given ? config : saved);
    char *before = value_of(option, saved), hex[DIGEST_HEX], place[CONFIG_PATH];
    if (!expected || !is_file_name(named) || (!given && !option->read_again))
        return STATUS_OK;
    const char *path = config_path(given ? config : saved, option->name, place);
    TRY(digest_file(path, hex));
    if (strcmp(hex, expected) == 0) {
        memmove(before, named, strlen(named) + 1);
        return STATUS_OK;
    }
    if (strcmp(named, before) != 0) /* another file: config_resume says so */
        return STATUS_OK;
    return status_fail(
        STATUS_FAILED,
        "%s (--%s) has changed since the run of %s began: its SHA-256 is %.12s..., it was %.12s.... %s, or "
        "begin a new run",
        path, option->name, origin, hex, expected, option->way_out);
}

Status record_files_compare(const Config *config, Config *saved, const char *json, const char *origin) {
    json_t *root = json_loads(json ? json : "{}", 0, NULL);
    Status status = STATUS_OK;
    for (size_t i = 0; i < FILE_OPTIONS && status == STATUS_OK; i++)
        status = compare(&file_options[i], config, saved,
                         json_string_value(json_object_get(root, file_options[i].name)), origin);
    json_decref(root);
    return status;
}
