/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "io/checkpoint_internal.h"
#include "io/file.h"
#include "io/keras_zip.h"
#include <jansson.h>
#include <stdint.h>
#include <string.h>

/* ---- freeing: what was read is owned, though the members are const for the writers' sake ---- */

static void free_text(const char *text) {
    memory_free((void *)text);
}

static void free_tensors(CheckpointTensor *tensors, size_t count) {
    for (size_t i = 0; tensors != NULL && i < count; i++) {
        free_text(tensors[i].name);
        free_text(tensors[i].stored);
        memory_free((void *)tensors[i].data);
    }
    memory_free(tensors);
}

static void free_layers(CheckpointLayer *layers, size_t count) {
    for (size_t i = 0; layers != NULL && i < count; i++) {
        free_tensors(layers[i].weights, layers[i].count);
        free_text(layers[i].name);
    }
    memory_free(layers);
}

void checkpoint_destroy(Checkpoint *checkpoint) {
    if (checkpoint == NULL)
        return;
    free_layers(checkpoint->layers, checkpoint->layer_count);
    for (size_t i = 0; checkpoint->slots != NULL && i < checkpoint->slot_count; i++) {
        free_layers(checkpoint->slots[i].layers, checkpoint->slots[i].count);
        free_text(checkpoint->slots[i].name);
    }
    memory_free(checkpoint->slots);
    free_tensors(checkpoint->optimizer, checkpoint->optimizer_count);
    free_text(checkpoint->model_config);
    free_text(checkpoint->training_config);
    free_text(checkpoint->state);
    free_text(checkpoint->preprocess);
    free_text(checkpoint->writer);
    memory_free(checkpoint);
}

/* ---- layers and weights ---- */

/* "conv2d_1_1/kernel:0" -> "kernel": Keras's names vary with version and history, their last part does not.  Keras 1
 * has "convolution2d_1_W" instead, of the layer "convolution2d_1"; but "depthwise/depthwise_kernel" is no "kernel". */
static Status short_name(const char *stored, const char *layer, const char **name) {
    const char *slash = strrchr(stored, '/');
    const char *last = slash != NULL ? slash + 1 : stored;
    size_t length = strlen(last), prefix = strlen(layer);
    if (length > 2 && strcmp(last + length - 2, ":0") == 0)
        length -= 2;
    if (slash == NULL && prefix > 0 && length > prefix + 1 && strncmp(last, layer, prefix) == 0 &&
        last[prefix] == '_') {
        last += prefix + 1;
        length -= prefix + 1;
    }
    return memory_format((char **)name, "%.*s", (int)length, last);
}

static Status read_numbers(H5ioFile *file, const char *path, CheckpointTensor *weight) {
    H5ioInfo info;
    Real *data;
    TRY(h5io_info(file, path, &info));
    if (info.class != H5IO_CLASS_FLOAT && info.class != H5IO_CLASS_INTEGER)
        return status_fail(STATUS_FAILED, "%s: %s does not hold numbers", h5io_name(file), path);
    if (info.rank > SHAPE_MAX)
        return status_fail(STATUS_FAILED, "%s: %s has %zu dimensions, more than the %d that are supported",
                           h5io_name(file), path, info.rank, SHAPE_MAX);
    weight->shape.rank = info.rank;
    memcpy(weight->shape.dim, info.dim, info.rank * sizeof info.dim[0]);
    TRY(memory_new(&data, info.count, "weights of a checkpoint"));
    weight->data = data;
    return h5io_read(file, path, H5IO_REAL, info.rank, info.dim, data);
}

Status checkpoint__read_tensor(H5ioFile *file, const char *group, const char *stored, const char *layer,
                               CheckpointTensor *out) {
    char *path;
    TRY(memory_strdup(stored, (char **)&out->stored));
    TRY(short_name(stored, layer, &out->name));
    TRY(memory_format(&path, "%s/%s", group, stored));
    Status status = read_numbers(file, path, out);
    memory_free(path);
    return status;
}

/* Reads the tensors that weight_names of the group `path` lists, none when there is no such list. */
static Status read_listed(H5ioFile *file, const char *path, const char *layer, CheckpointTensor **tensors,
                          size_t *count) {
    bool listed;
    char **names;
    TRY(h5io_attr_strings_exist(file, path, "weight_names", &listed));
    if (!listed)
        return STATUS_OK;
    TRY(h5io_attr_read_strings(file, path, "weight_names", &names, count));
    Status status = memory_new(tensors, *count, "weights of a layer");
    for (size_t i = 0; i < *count && status == STATUS_OK; i++)
        status = checkpoint__read_tensor(file, path, names[i], layer, &(*tensors)[i]);
    memory_free(names);
    return status;
}

/* Reads the layer layer->name. */
static Status read_layer(H5ioFile *file, const char *group, CheckpointLayer *layer) {
    H5ioKind kind;
    char *path;
    TRY(memory_format(&path, "%s/%s", group, layer->name));
    Status status = h5io_kind(file, path, &kind);
    if (status == STATUS_OK && kind != H5IO_GROUP)
        status = status_fail(STATUS_FAILED, "%s: %s is listed as a layer but is no group in the file", h5io_name(file),
                             path);
    if (status == STATUS_OK)
        status = read_listed(file, path, layer->name, &layer->weights, &layer->count);
    memory_free(path);
    return status;
}

/* Reads the layers that GROUP's layer_names lists; what was read before a failure stays in *layers. */
static Status read_layers(H5ioFile *file, const char *group, CheckpointLayer **layers, size_t *count) {
    char **names;
    TRY(h5io_attr_read_strings(file, group, "layer_names", &names, count));
    Status status = memory_new(layers, *count, "layers of a checkpoint");
    for (size_t i = 0; i < *count && status == STATUS_OK; i++) {
        status = memory_strdup(names[i], (char **)&(*layers)[i].name);
        if (status == STATUS_OK)
            status = read_layer(file, group, &(*layers)[i]);
    }
    memory_free(names);
    return status;
}

/* ---- the parts of a file ---- */

/* *text = the attribute, or NULL when there is none. */
static Status read_attribute(H5ioFile *file, const char *path, const char *name, const char **text) {
    bool exists;
    TRY(h5io_attr_exists(file, path, name, &exists));
    return exists ? h5io_attr_read_string(file, path, name, (char **)text) : STATUS_OK;
}

/* *text = the dataset, or NULL when there is none. */
static Status read_text(H5ioFile *file, const char *path, const char **text) {
    H5ioKind kind;
    TRY(h5io_kind(file, path, &kind));
    return kind == H5IO_DATASET ? h5io_read_string(file, path, (char **)text) : STATUS_OK;
}

static Status read_slots(H5ioFile *file, Checkpoint *out) {
    char **names;
    TRY(h5io_attr_read_strings(file, "/training", "slot_names", &names, &out->slot_count));
    Status status = memory_new(&out->slots, out->slot_count, "optimizer slots of a checkpoint");
    for (size_t i = 0; i < out->slot_count && status == STATUS_OK; i++) {
        CheckpointSlot *slot = &out->slots[i];
        char *group;
        TRY_GOTO(memory_strdup(names[i], (char **)&slot->name), done);
        TRY_GOTO(memory_format(&group, "/training/optimizer/%s", names[i]), done);
        status = read_layers(file, group, &slot->layers, &slot->count);
        memory_free(group);
    }
done:
    memory_free(names);
    return status;
}

static Status read_training(H5ioFile *file, Checkpoint *out) {
    int64_t format;
    TRY(h5io_attr_read(file, "/training", "format", H5IO_INT64, 1, &format));
    if (format != CHECKPOINT_FORMAT)
        return status_fail(STATUS_FAILED,
                           "%s has format %lld; this program reads format %d. Use the version that wrote it",
                           h5io_name(file), (long long)format, CHECKPOINT_FORMAT);
    TRY(read_attribute(file, "/training", "writer", &out->writer));
    TRY(read_text(file, "/training/state", &out->state));
    TRY(read_text(file, "/training/preprocess", &out->preprocess));
    return read_slots(file, out);
}

/* *group = the one with layer_names: "/" in a file of weights, "/model_weights" in one of a whole model; else NULL. */
static Status find_weights(H5ioFile *file, const char **group) {
    static const char *const places[] = {"/", "/model_weights"};
    H5ioKind kind;
    *group = NULL;
    for (size_t i = 0; i < 2 && *group == NULL; i++) {
        bool listed = false;
        TRY(h5io_kind(file, places[i], &kind));
        if (kind == H5IO_GROUP)
            TRY(h5io_attr_strings_exist(file, places[i], "layer_names", &listed));
        if (listed)
            *group = places[i];
    }
    return STATUS_OK;
}

/* Without layer_names: Keras 3's layout, or none that is known. */
static Status read_without_names(H5ioFile *file, Checkpoint *out) {
    static const char *const splits[] = {"train", "val", "test"};
    bool class_paths, numbered;
    H5ioKind kind;
    TRY(checkpoint__has_class_paths(file, &class_paths));
    if (class_paths)
        return checkpoint__read_class_paths(file, out);
    TRY(h5io_attr_exists(file, "/", "nb_layers", &numbered));
    if (numbered)
        return status_fail(STATUS_FAILED,
                           "%s is a weights file of Keras before 1.2, without names of layers, which is not supported. "
                           "Load it into its model with an old Keras and save that",
                           h5io_name(file));
    for (size_t i = 0; i < sizeof splits / sizeof *splits; i++) {
        TRY(h5io_kind(file, splits[i], &kind));
        if (kind == H5IO_GROUP)
            return status_fail(
                STATUS_FAILED,
                "%s holds no network, but data: a run or network comes first, data are given with --data",
                h5io_name(file));
    }
    return status_fail(STATUS_FAILED,
                       "%s holds no network: neither / nor /model_weights has the attribute layer_names, and there is "
                       "no group /layers",
                       h5io_name(file));
}

/* Which Keras wrote the group. */
static Status read_keras_version(H5ioFile *file, const char *group, Checkpoint *out) {
    const char *version = NULL, *backend = NULL;
    Status status = read_attribute(file, group, "keras_version", &version);
    if (status == STATUS_OK && version != NULL)
        status = memory_format((char **)&out->writer, "keras %s", version);
    if (status == STATUS_OK)
        status = read_attribute(file, group, "backend", &backend);
    if (status == STATUS_OK && backend != NULL && strcmp(backend, "theano") == 0)
        status = status_fail(STATUS_FAILED,
                             "%s was written with Theano, which mirrors the kernels of convolutions. "
                             "Load it with Keras 2 on TensorFlow, which turns them, and save it",
                             h5io_name(file));
    free_text(version);
    free_text(backend);
    return status;
}

static Status read_keras_optimizer(H5ioFile *file, Checkpoint *out) {
    H5ioKind kind;
    TRY(h5io_kind(file, "/optimizer_weights", &kind));
    return kind == H5IO_GROUP ? read_listed(file, "/optimizer_weights", "", &out->optimizer, &out->optimizer_count)
                              : STATUS_OK;
}

static Status read_content(H5ioFile *file, Checkpoint *out) {
    const char *group;
    bool marked = false;
    H5ioKind kind;
    TRY(h5io_kind(file, "/training", &kind));
    if (kind == H5IO_GROUP)
        TRY(h5io_attr_exists(file, "/training", "format", &marked));
    if (marked && !out->ours)
        return status_fail(STATUS_FAILED, "%s has lost its checksum: it was cut short, or changed by another program",
                           h5io_name(file));
    TRY(find_weights(file, &group));
    if (group == NULL)
        return read_without_names(file, out);
    TRY(read_attribute(file, "/", "model_config", &out->model_config));
    TRY(read_attribute(file, "/", "training_config", &out->training_config));
    if (marked) {
        TRY(read_training(file, out));
    } else {
        TRY(read_keras_version(file, group, out));
        TRY(read_keras_optimizer(file, out));
    }
    return read_layers(file, group, &out->layers, &out->layer_count);
}

/* ---- containers ---- */

static Status read_hdf5(const char *path, const unsigned char *bytes, size_t size, Checkpoint *out) {
    H5ioFile *file;
    TRY(h5io_open_image(path, bytes, size, &file));
    Status status = read_content(file, out);
    Status closed = h5io_close(file);
    return status != STATUS_OK ? status : closed;
}

/* out->writer = "keras 3.15.0", of metadata.json, which may lack. */
static Status read_metadata(const char *path, const unsigned char *bytes, size_t size, Checkpoint *out) {
    enum { METADATA_MAX = 1 << 20 };
    unsigned char *text;
    TRY(keras_zip_read(path, bytes, size, "metadata.json", METADATA_MAX, &text, &size));
    json_t *json = text != NULL ? json_loadb((char *)text, size, 0, NULL) : NULL;
    const char *version = json_string_value(json_object_get(json, "keras_version"));
    Status status = version != NULL ? memory_format((char **)&out->writer, "keras %s", version) : STATUS_OK;
    json_decref(json);
    memory_free(text);
    return status;
}

static Status read_keras(const char *path, const unsigned char *bytes, size_t size, Checkpoint *out) {
    enum { CONFIG_MAX = 1 << 28 };
    unsigned char *config, *weights;
    size_t length, weights_size;
    TRY(keras_zip_read(path, bytes, size, "config.json", CONFIG_MAX, &config, &length));
    out->model_config = (const char *)config;
    if (config == NULL || strlen(out->model_config) != length)
        return status_fail(STATUS_FAILED, "%s is a zip archive, but no .keras file: it holds no config.json as text",
                           path);
    TRY(read_metadata(path, bytes, size, out));
    TRY(keras_zip_read(path, bytes, size, "model.weights.h5", SIZE_MAX - 1, &weights, &weights_size));
    if (weights == NULL)
        return status_fail(STATUS_FAILED, "%s holds no model.weights.h5; weights of other formats are not supported",
                           path);
    Status status = read_hdf5(path, weights, weights_size, out);
    memory_free(weights);
    return status;
}

static Status read_bytes(const char *path, const unsigned char *bytes, size_t size, CheckpointOrigin origin,
                         Checkpoint *out) {
    TRY(checkpoint__check_trailer(path, bytes, size, &out->ours));
    if (!out->ours && origin == CHECKPOINT_OURS)
        return status_fail(STATUS_FAILED,
                           "%s has no checksum: it was cut short, or written by another program. "
                           "(--init-from takes the weights of a Keras file)",
                           path);
    if (!out->ours)
        TRY(checkpoint__refuse_foreign(path, bytes, size));
    TRY(keras_zip_is(bytes, size) ? read_keras(path, bytes, size, out)
                                  : read_hdf5(path, bytes, size - (out->ours ? CHECKPOINT_TRAILER : 0), out));
    return out->writer == NULL ? memory_strdup("", (char **)&out->writer) : STATUS_OK;
}

Status checkpoint_read(const char *path, CheckpointOrigin origin, Checkpoint **out) {
    unsigned char *bytes;
    size_t size;
    Checkpoint *checkpoint = NULL;
    *out = NULL;
    TRY(file_read(path, &bytes, &size));
    Status status = memory_new(&checkpoint, 1, "checkpoint");
    if (status == STATUS_OK)
        status = read_bytes(path, bytes, size, origin, checkpoint);
    memory_free(bytes);
    if (status == STATUS_OK)
        *out = checkpoint;
    else
        checkpoint_destroy(checkpoint);
    return status;
}

Status checkpoint_verify(const char *path) {
    unsigned char *bytes;
    size_t size;
    bool present;
    TRY(file_read(path, &bytes, &size));
    Status status = checkpoint__check_trailer(path, bytes, size, &present);
    memory_free(bytes);
    if (status == STATUS_OK && !present)
        return status_fail(STATUS_FAILED, "%s has no checksum: it was cut short, or written by another program", path);
    return status;
}

/* ---- looking up ---- */

const CheckpointTensor *checkpoint_find(const CheckpointLayer *layers, size_t count, const char *layer,
                                        const char *name) {
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < layers[i].count && strcmp(layers[i].name, layer) == 0; j++)
            if (strcmp(layers[i].weights[j].name, name) == 0)
                return &layers[i].weights[j];
    return NULL;
}

const CheckpointSlot *checkpoint_slot(const Checkpoint *checkpoint, const char *name) {
    for (size_t i = 0; i < checkpoint->slot_count; i++)
        if (strcmp(checkpoint->slots[i].name, name) == 0)
            return &checkpoint->slots[i];
    return NULL;
}
