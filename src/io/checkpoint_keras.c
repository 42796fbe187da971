/* SPDX-License-Identifier: Apache-2.0
 *
 * The content of Keras 3's .weights.h5: numbered variables below paths of class names; reading and writing. */
#include "base/memory.h"
#include "io/checkpoint_internal.h"
#include <stdio.h>
#include <string.h>

/* ---- reading ---- */

/* What a file can be made of at most: hard links may make a group its own grandchild. */
enum { DEPTH_MAX = 32, GROUPS_MAX = 100000 };

/* tf.keras 2.12 and 2.13 call what is "layers" later by this name, at every level. */
static const char old_layers[] = "_layer_checkpoint_dependencies";

typedef struct Walk {
    H5ioFile *file;
    Checkpoint *out;
    size_t groups;
} Walk;

/* Reads the datasets 0, 1, ... of the group `path`, which must be all that is in it. */
static Status read_variables(H5ioFile *file, const char *path, CheckpointTensor **tensors, size_t *count) {
    char **names;
    size_t n;
    TRY(h5io_list(file, path, &names, &n));
    memory_free(names);
    TRY(memory_new(tensors, n, "variables of a layer"));
    *count = n;
    Status status = STATUS_OK;
    for (size_t i = 0; i < n && status == STATUS_OK; i++) {
        char number[32];
        H5ioKind kind;
        char *dataset;
        snprintf(number, sizeof number, "%zu", i);
        TRY(memory_format(&dataset, "%s/%s", path, number));
        status = h5io_kind(file, dataset, &kind);
        memory_free(dataset);
        if (status == STATUS_OK && kind != H5IO_DATASET)
            status = status_fail(STATUS_FAILED, "%s: %s holds %zu variables, but none of them is named %s",
                                 h5io_name(file), path, n, number);
        if (status == STATUS_OK)
            status = checkpoint__read_tensor(file, path, number, "", &(*tensors)[i]);
    }
    return status;
}

/* The layer's name: the path below the first "layers", with today's word for it. */
static Status class_path(const char *path, char **name) {
    TRY(memory_strdup(strchr(path + 1, '/') + 1, name));
    for (char *old = *name; (old = strstr(old, old_layers)) != NULL;) {
        memmove(old + strlen("layers"), old + strlen(old_layers), strlen(old + strlen(old_layers)) + 1);
        memcpy(old, "layers", strlen("layers"));
    }
    return STATUS_OK;
}

/* Adds the layer whose group is `path`, if it has variables. */
static Status add_layer(Walk *walk, const char *path) {
    Checkpoint *out = walk->out;
    char *vars;
    TRY(memory_grow(&out->layers, out->layer_count, 1, "layers of a checkpoint"));
    CheckpointLayer *layer = &out->layers[out->layer_count++];
    TRY(class_path(path, (char **)&layer->name));
    TRY(memory_format(&vars, "%s/vars", path));
    Status status = read_variables(walk->file, vars, &layer->weights, &layer->count);
    memory_free(vars);
    if (status == STATUS_OK && layer->count == 0) {
        memory_free(layer->weights);
        memory_free((void *)layer->name);
        *layer = (CheckpointLayer){0};
        out->layer_count--;
    }
    return status;
}

/* Adds the layers of the group `path` and below. */
static Status walk_group(Walk *walk, const char *path, size_t depth) {
    char **names;
    size_t count;
    if (depth > DEPTH_MAX || ++walk->groups > GROUPS_MAX)
        return status_fail(STATUS_FAILED, "%s: %s: more than %d groups, or %d of them inside each other",
                           h5io_name(walk->file), path, GROUPS_MAX, DEPTH_MAX);
    TRY(h5io_list(walk->file, path, &names, &count));
    Status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        H5ioKind kind;
        char *child;
        if (depth > 0 && strcmp(names[i], "vars") == 0) {
            status = add_layer(walk, path);
            continue;
        }
        status = memory_format(&child, "%s/%s", path, names[i]);
        if (status != STATUS_OK)
            break;
        status = h5io_kind(walk->file, child, &kind);
        if (status == STATUS_OK && kind == H5IO_GROUP)
            status = walk_group(walk, child, depth + 1);
        memory_free(child);
    }
    memory_free(names);
    return status;
}

static Status find_layers(H5ioFile *file, const char **group) {
    static const char *const places[] = {"/layers", "/_layer_checkpoint_dependencies"};
    for (size_t i = 0; i < 2; i++) {
        H5ioKind kind;
        TRY(h5io_kind(file, places[i], &kind));
        if (kind == H5IO_GROUP)
            *group = places[i];
    }
    return STATUS_OK;
}

Status checkpoint__has_class_paths(H5ioFile *file, bool *yes) {
    const char *group = NULL;
    TRY(find_layers(file, &group));
    *yes = group != NULL;
    return STATUS_OK;
}

Status checkpoint__read_class_paths(H5ioFile *file, Checkpoint *out) {
    const char *group = NULL;
    Walk walk = {.file = file, .out = out};
    H5ioKind kind;
    out->naming = CHECKPOINT_CLASS_PATHS;
    TRY(find_layers(file, &group));
    if (group == NULL)
        return status_fail(STATUS_FAILED, "%s holds no network: there is no group /layers", h5io_name(file));
    TRY(walk_group(&walk, group, 0));
    TRY(h5io_kind(file, "/optimizer/vars", &kind));
    return kind == H5IO_GROUP ? read_variables(file, "/optimizer/vars", &out->optimizer, &out->optimizer_count)
                              : STATUS_OK;
}

/* ---- writing ---- */

static Status write_variables(H5ioFile *file, const char *group, const CheckpointTensor *tensors, size_t count) {
    Status status = h5io_make_group(file, group);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        char *path;
        TRY(memory_format(&path, "%s/%zu", group, i));
        status = h5io_write(file, path, H5IO_REAL, tensors[i].shape.rank, tensors[i].shape.dim, tensors[i].data);
        memory_free(path);
    }
    return status;
}

/* tf.keras wants a group vars of every layer, and of the model. */
Status checkpoint__write_class_paths(H5ioFile *file, const Checkpoint *content) {
    Status status = h5io_make_group(file, "/vars");
    for (size_t i = 0; i < content->layer_count && status == STATUS_OK; i++) {
        const CheckpointLayer *layer = &content->layers[i];
        char *group;
        TRY(memory_format(&group, "/layers/%s/vars", layer->name));
        status = write_variables(file, group, layer->weights, layer->count);
        memory_free(group);
    }
    TRY(status);
    return content->optimizer_count > 0
               ? write_variables(file, "/optimizer/vars", content->optimizer, content->optimizer_count)
               : STATUS_OK;
}
