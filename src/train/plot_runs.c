/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs to be drawn: their rows, and what tells them apart. */
#include "base/memory.h"
#include "io/file.h"
#include "io/run.h"
#include "train/plot.h"
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_DIFFERENCES = 3, VALUE = 40 }; /* options named in the legend, and bytes of a value there */

/* config.json of a run, or NULL: then nothing is told of its options. */
static json_t *read_config(const char *folder) {
    char *path = NULL;
    unsigned char *text = NULL;
    size_t size;
    json_t *config = NULL;
    if (memory_format(&path, "%s/%s", folder, RUN_CONFIG) == STATUS_OK && file_read(path, &text, &size) == STATUS_OK)
        config = json_loads((char *)text, 0, NULL);
    memory_free(text);
    memory_free(path);
    return config;
}

/* Do the runs have several values of the option `key`? */
static bool differs(json_t *const configs[], size_t count, const char *key) {
    for (size_t i = 1; i < count; i++)
        if (configs[i] && configs[0] && !json_equal(json_object_get(configs[i], key), json_object_get(configs[0], key)))
            return true;
    return false;
}

/* Appends "lr 0.1, seed 2" to the name. */
static Status add_options(json_t *const configs[], size_t count, size_t run, char **name) {
    const char *key;
    json_t *value, *all = json_object();
    size_t found = 0;
    Status status = STATUS_OK;
    for (size_t i = 0; i < count; i++) /* an option that one run alone has is a difference, too */
        if (configs[i])
            json_object_update(all, configs[i]);
    json_object_foreach(all, key, value) {
        if (found == MAX_DIFFERENCES || strcmp(key, "directory") == 0 || !differs(configs, count, key))
            continue;
        char *longer, *text = json_dumps(json_object_get(configs[run], key), JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
        size_t length = text ? strlen(text) : 0;
        bool quoted = length > 1 && text[0] == '"';
        status = memory_format(&longer, "%s%s%s %.*s", *name, found ? ", " : ": ", key,
                               length ? (int)(length - 2 * quoted) < VALUE ? (int)(length - 2 * quoted) : VALUE : 7,
                               length ? text + quoted : "not set");
        free(text);
        if (status != STATUS_OK)
            break;
        memory_free(*name);
        *name = longer;
        found++;
    }
    json_decref(all);
    return status;
}

static Status add_differences(char *const paths[], PlotRuns *runs) {
    json_t **configs;
    Status status = STATUS_OK;
    TRY(memory_new(&configs, runs->count, "options of runs"));
    for (size_t i = 0; i < runs->count; i++)
        configs[i] = read_config(paths[i]);
    for (size_t i = 0; i < runs->count && status == STATUS_OK; i++)
        if (configs[i])
            status = add_options(configs, runs->count, i, &runs->runs[i].name);
    for (size_t i = 0; i < runs->count; i++)
        json_decref(configs[i]);
    memory_free(configs);
    return status;
}

static Status open_run(const char *folder, PlotRun *run) {
    char *path;
    if (access(folder, F_OK) != 0)
        return status_fail(STATUS_FAILED, "cannot open the run folder %s: %s", folder, strerror(errno));
    TRY(memory_strdup(folder, &run->name));
    for (size_t end = strlen(run->name); end > 1 && run->name[end - 1] == '/';)
        run->name[--end] = '\0';
    TRY(memory_format(&path, "%s/%s", folder, RUN_METRICS));
    Status status = access(path, F_OK) == 0
                        ? history_read(path, &run->history)
                        : status_fail(STATUS_FAILED, "%s holds no %s: it is no run folder, or its run has not begun",
                                      folder, RUN_METRICS);
    memory_free(path);
    TRY(status);
    if (run->history->row_count == 0)
        return status_fail(STATUS_FAILED, "the first epoch of %s is not over: there is nothing to draw yet", folder);
    size_t rows = run->history->row_count, columns = run->history->column_count;
    TRY(memory_new(&run->values, rows * columns, "curves"));
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++)
            run->values[c * rows + r] = history_value(run->history, r, c);
    return STATUS_OK;
}

Status plot_open(char *const paths[], size_t count, PlotRuns *out) {
    *out = (PlotRuns){.count = 0};
    TRY(memory_new(&out->runs, count, "runs"));
    for (; out->count < count; out->count++) {
        Status status = open_run(paths[out->count], &out->runs[out->count]);
        if (status != STATUS_OK) {
            out->count++; /* what it has is given back */
            return status;
        }
    }
    return count > 1 ? add_differences(paths, out) : STATUS_OK;
}

void plot_close(PlotRuns *runs) {
    for (size_t i = 0; i < runs->count; i++) {
        memory_free(runs->runs[i].name);
        memory_free(runs->runs[i].values);
        history_destroy(runs->runs[i].history);
    }
    memory_free(runs->runs);
    *runs = (PlotRuns){.count = 0};
}
