/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "io/checkpoint_internal.h"
#include "io/digest.h"
#include "io/keras_zip.h"
#include <openssl/evp.h>
#include <stdint.h>
#include <string.h>

/* ---- writing ---- */

/* Writes one layer as Keras does: GROUP/LAYER with weight_names, and the datasets below it. */
static Status write_layer(H5ioFile *file, const char *group, const CheckpointLayer *layer) {
    Status status = STATUS_OK;
    char *path = NULL, *dataset = NULL, **names;
    TRY(memory_new(&names, layer->count, "weight names"));
    TRY_GOTO(memory_format(&path, "%s/%s", group, layer->name), done);
    TRY_GOTO(h5io_make_group(file, path), done);
    for (size_t i = 0; i < layer->count; i++) {
        const CheckpointTensor *weight = &layer->weights[i];
        TRY_GOTO(memory_format(&names[i], "%s/%s:0", layer->name, weight->name), done);
        TRY_GOTO(memory_format(&dataset, "%s/%s", path, names[i]), done);
        TRY_GOTO(h5io_write(file, dataset, H5IO_REAL, weight->shape.rank, weight->shape.dim, weight->data), done);
        memory_free(dataset);
        dataset = NULL;
    }
    status = h5io_attr_write_strings(file, path, "weight_names", (const char *const *)names, layer->count);
done:
    for (size_t i = 0; i < layer->count; i++)
        memory_free(names[i]);
    memory_free(names);
    memory_free(dataset);
    memory_free(path);
    return status;
}

static Status write_layers(H5ioFile *file, const char *group, const CheckpointLayer *layers, size_t count) {
    Status status = STATUS_OK;
    const char **names;
    TRY(memory_new(&names, count, "layer names"));
    TRY_GOTO(h5io_make_group(file, group), done);
    for (size_t i = 0; i < count; i++) {
        names[i] = layers[i].name;
        TRY_GOTO(write_layer(file, group, &layers[i]), done);
    }
    status = h5io_attr_write_strings(file, group, "layer_names", names, count);
done:
    memory_free(names);
    return status;
}

/* Which Keras the file claims to come from: any value loads; this one's dialect is what we write. */
static Status write_keras_version(H5ioFile *file, const char *path) {
    TRY(h5io_attr_write_string(file, path, "keras_version", "2.15.0"));
    return h5io_attr_write_string(file, path, "backend", "tensorflow");
}

static Status write_model(H5ioFile *file, const Checkpoint *content) {
    if (content->model_config != NULL)
        TRY(h5io_attr_write_string(file, "/", "model_config", content->model_config));
    if (content->training_config != NULL)
        TRY(h5io_attr_write_string(file, "/", "training_config", content->training_config));
    TRY(write_keras_version(file, "/"));
    TRY(write_layers(file, "/model_weights", content->layers, content->layer_count));
    TRY(write_keras_version(file, "/model_weights"));
    TRY(h5io_make_group(file, "/model_weights/top_level_model_weights"));
    return h5io_attr_write_strings(file, "/model_weights/top_level_model_weights", "weight_names", NULL, 0);
}

static Status write_slots(H5ioFile *file, const Checkpoint *content) {
    Status status = STATUS_OK;
    const char **names;
    TRY(memory_new(&names, content->slot_count, "slot names"));
    for (size_t i = 0; i < content->slot_count; i++) {
        const CheckpointSlot *slot = &content->slots[i];
        char *group;
        names[i] = slot->name;
        TRY_GOTO(memory_format(&group, "/training/optimizer/%s", slot->name), done);
        status = write_layers(file, group, slot->layers, slot->count);
        memory_free(group);
        if (status != STATUS_OK)
            goto done;
    }
    status = h5io_attr_write_strings(file, "/training", "slot_names", names, content->slot_count);
done:
    memory_free(names);
    return status;
}

static Status write_training(H5ioFile *file, const Checkpoint *content) {
    int64_t format = CHECKPOINT_FORMAT;
    TRY(h5io_make_group(file, "/training"));
    TRY(h5io_attr_write(file, "/training", "format", H5IO_INT64, 1, &format));
    TRY(h5io_attr_write_string(file, "/training", "writer", "cnn " CNN_VERSION));
    if (content->state != NULL)
        TRY(h5io_write_string(file, "/training/state", content->state));
    if (content->preprocess != NULL)
        TRY(h5io_write_string(file, "/training/preprocess", content->preprocess));
    return write_slots(file, content);
}

size_t checkpoint_bytes(size_t numbers, size_t tensors) {
    /* Headers, names, lists, groups of layers without weights; the network and the state as JSON.  At most 1.8 KB a
     * tensor was seen (inception-v3); a file that outgrows this is copied into a block of twice the size. */
    enum { PER_TENSOR = 2048, FIXED = 1 << 17 };
    return numbers * sizeof(Real) + tensors * PER_TENSOR + FIXED;
}

static size_t expected_bytes(const Checkpoint *content) {
    size_t numbers = 0, tensors = 0;
    for (size_t s = 0; s <= content->slot_count; s++) {
        bool weights = s == content->slot_count;
        const CheckpointLayer *layers = weights ? content->layers : content->slots[s].layers;
        size_t count = weights ? content->layer_count : content->slots[s].count;
        for (size_t l = 0; l < count; l++)
            for (size_t i = 0; i < layers[l].count; i++, tensors++)
                numbers += shape_count(&layers[l].weights[i].shape);
    }
    return checkpoint_bytes(numbers, tensors);
}

static Status write_content(H5ioFile *file, const Checkpoint *content) {
    if (content->naming == CHECKPOINT_CLASS_PATHS)
        return checkpoint__write_class_paths(file, content);
    TRY(write_model(file, content));
    bool training = content->state != NULL || content->preprocess != NULL || content->slot_count > 0;
    return training ? write_training(file, content) : STATUS_OK;
}

static Status hdf5_image(const Checkpoint *content, unsigned char **image, size_t *size) {
    H5ioFile *file;
    void *bytes = NULL;
    TRY(h5io_create_image("the checkpoint", expected_bytes(content), &file));
    Status status = write_content(file, content);
    if (status == STATUS_OK)
        status = h5io_image(file, &bytes, size);
    if (status == STATUS_OK)
        *image = bytes;
    h5io_close(file); /* its bytes are out, or it failed already */
    return status;
}

/* The zip around it.  Which Keras it claims to come from: the first that has this format. */
static Status keras_image(const Checkpoint *content, unsigned char **image, size_t *size) {
    static const char metadata[] = "{\"keras_version\": \"3.0.0\"}";
    unsigned char *weights;
    size_t weights_size;
    TRY(hdf5_image(content, &weights, &weights_size));
    Status status =
        keras_zip_image(3,
                        (KerasZipEntry[]){{"metadata.json", metadata, strlen(metadata)},
                                          {"config.json", content->model_config, strlen(content->model_config)},
                                          {"model.weights.h5", weights, weights_size}},
                        image, size);
    memory_free(weights);
    return status;
}

Status checkpoint_image(const Checkpoint *content, unsigned char **image, size_t *size) {
    bool zip = content->naming == CHECKPOINT_CLASS_PATHS && content->model_config != NULL;
    *image = NULL;
    *size = 0;
    return zip ? keras_image(content, image, size) : hdf5_image(content, image, size);
}

/* ---- the trailer: magic, length of all before it (little endian), SHA-256 of all before it (32 bytes) ---- */

enum { TRAILER_MAGIC = 16, TRAILER_LENGTH = 8 };
static const char trailer_magic[] = "cnn-checkpoint1\n";

Status checkpoint_seal(const unsigned char *image, size_t size, unsigned char trailer[CHECKPOINT_TRAILER]) {
    digest_start();
    memcpy(trailer, trailer_magic, TRAILER_MAGIC);
    for (int i = 0; i < TRAILER_LENGTH; i++)
        trailer[TRAILER_MAGIC + i] = (unsigned char)((uint64_t)size >> 8 * i);
    if (EVP_Digest(image, size, trailer + TRAILER_MAGIC + TRAILER_LENGTH, NULL, EVP_sha256(), NULL) != 1) {
        memory_refused();
        return status_fail(STATUS_FAILED, "libcrypto cannot compute SHA-256: memory is short");
    }
    return STATUS_OK;
}

Status checkpoint__check_trailer(const char *path, const unsigned char *bytes, size_t size, bool *present) {
    unsigned char expected[CHECKPOINT_TRAILER];
    *present = false;
    if (size == 0)
        return status_fail(STATUS_FAILED, "%s is empty", path);
    if (size < CHECKPOINT_TRAILER || memcmp(bytes + size - CHECKPOINT_TRAILER, trailer_magic, TRAILER_MAGIC) != 0)
        return STATUS_OK;
    *present = true;
    TRY(checkpoint_seal(bytes, size - CHECKPOINT_TRAILER, expected));
    const unsigned char *found = bytes + size - CHECKPOINT_TRAILER;
    if (memcmp(found, expected, TRAILER_MAGIC + TRAILER_LENGTH) != 0)
        return status_fail(STATUS_FAILED, "%s is damaged: its length is not the one it was written with", path);
    if (memcmp(found, expected, CHECKPOINT_TRAILER) != 0)
        return status_fail(STATUS_FAILED, "%s is damaged: its checksum does not fit its content", path);
    return STATUS_OK;
}
