/* SPDX-License-Identifier: Apache-2.0
 *
 * A network and the state of its training in one file: ours, which keras.models.load_model opens too, and Keras's own.
 * Ours is HDF5:
 *
 *     /                              model_config, training_config, keras_version, backend
 *     /model_weights                 layer_names, backend, keras_version         the layout of Keras's own .h5 files
 *     /model_weights/LAYER           weight_names: "LAYER/kernel:0", ...
 *     /model_weights/LAYER/LAYER/kernel:0
 *     /training                      ours, ignored by Keras: format, writer, slot_names, datasets state, preprocess
 *     /training/optimizer/SLOT       laid out like /model_weights
 *     trailer                        CHECKPOINT_TRAILER bytes behind the HDF5 file: magic, length, SHA-256
 *
 * HDF5 reads files with bytes behind its own end; the checksum covers every byte of the file and tells a cut or damaged
 * file before HDF5 looks at it.  The same content gives the same bytes: no time stamps.
 * There is no optimizer_weights group: Keras 3 cannot restore it, and with it refuses to train on.
 *
 * Keras's files come in three containers:
 *
 *     .h5            the layout above without /training: Keras 1.2 to 3; weights only: at / what /model_weights has
 *     .weights.h5    Keras 3 (and tf.keras from 2.12 on): /layers/CLASS_N/vars/0, 1, ... and /optimizer/vars/0, 1, ...
 *     .keras         zip of config.json, metadata.json and model.weights.h5, stored or deflated
 *
 * The last two do not hold the layers' names.  CLASS_N is the class's name in snake case, the second of its class with
 * _1 behind it, the third with _2, counted in model order inside each container; a model in a model is a layer of that
 * kind: /layers/functional/layers/conv2d/vars/0.
 *
 * This module knows names, shapes, numbers and JSON texts; what they mean is the callers' business (model/, train/).
 * Nothing here is collective: one rank calls it. */
#ifndef IO_CHECKPOINT_H
#define IO_CHECKPOINT_H
#include "base/real.h"
#include "base/shape.h"
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>

enum { CHECKPOINT_FORMAT = 1, CHECKPOINT_TRAILER = 56 };

/* What the names of layers and weights are. */
typedef enum CheckpointNaming {
    CHECKPOINT_LAYER_NAMES, /* layer "conv2d_7", weight "kernel" */
    CHECKPOINT_CLASS_PATHS  /* layer "conv2d_1", "functional/layers/conv2d": from /layers to vars; weight "0" */
} CheckpointNaming;

typedef struct CheckpointTensor {
    const char *name;   /* "kernel"; "0" where naming is CHECKPOINT_CLASS_PATHS */
    const char *stored; /* as the file has it, "conv2d_1_1/kernel:0"; set by checkpoint_read, ignored when writing */
    Shape shape;        /* as Keras stores it: kernel {R, S, C, K} */
    const Real *data;   /* shape_count(&shape) numbers */
} CheckpointTensor;

typedef struct CheckpointLayer {
    const char *name;
    CheckpointTensor *weights; /* in Keras's order */
    size_t count;              /* 0: a layer without weights */
} CheckpointLayer;

typedef struct CheckpointSlot { /* one number per trained weight, kept by the optimizer: "momentum", "average" */
    const char *name;
    CheckpointLayer *layers; /* those that have any */
    size_t count;
} CheckpointSlot;

/* What is in a checkpoint.  For writing, the caller fills it with pointers that it keeps owning.  What checkpoint_read
 * makes owns everything and is given back with checkpoint_destroy. */
typedef struct Checkpoint {
    CheckpointNaming naming;
    const char *model_config; /* JSON; NULL in a file of weights only.  Of a .keras file all of config.json */
    const char
        *training_config;    /* JSON; NULL: Keras loads the model without a loss.  NULL for .keras: see model_config */
    const char *state;       /* JSON: all that training needs to go on exactly; NULL in files of other programs */
    const char *preprocess;  /* JSON: how an image becomes an input, class names; may be NULL */
    CheckpointLayer *layers; /* in model order, layers without weights too */
    size_t layer_count;
    CheckpointSlot *slots;
    size_t slot_count;
    /* Keras's own optimizer variables (iteration, learning rate, slots) in the file's order, which follows optimizer
     * and version; from /optimizer_weights and /optimizer/vars.  name and stored: as the file has them,
     * "Adam/m/conv2d/kernel:0" or "2".  Written with CHECKPOINT_CLASS_PATHS only. */
    CheckpointTensor *optimizer;
    size_t optimizer_count;
    /* Set by checkpoint_read, ignored when writing. */
    bool ours;          /* written here, checksum verified */
    const char *writer; /* "cnn 0.1.0", or "keras 2.10.0"; "" when the file does not say */
} Checkpoint;

/* *image (the caller frees it with memory_free) = the `size` bytes of the file, made in memory.  Which container:
 *     CHECKPOINT_LAYER_NAMES                   .h5; with /training if there is a state, a preprocess or a slot
 *     CHECKPOINT_CLASS_PATHS, no model_config  .weights.h5
 *     CHECKPOINT_CLASS_PATHS, model_config     .keras; model_config is config.json, compile_config in it
 * STATUS_FAILED: out of memory, a weight twice. */
Status checkpoint_image(const Checkpoint *content, unsigned char **image, size_t *size);

/* About the size of such an image, for memory forecasts; rather more than less. */
size_t checkpoint_bytes(size_t numbers, size_t tensors);

/* Makes the trailer that stands behind an image in the file: magic, length, SHA-256 (1.7 GB/s measured on a CPU with
 * SHA instructions).  No HDF5. */
Status checkpoint_seal(const unsigned char *image, size_t size, unsigned char trailer[CHECKPOINT_TRAILER]);

/* What checkpoint_read accepts. */
typedef enum CheckpointOrigin {
    CHECKPOINT_OURS, /* to go on training: checksum required */
    CHECKPOINT_ANY   /* for the weights: also Keras's files of every container, whole models or weights, no checksum */
} CheckpointOrigin;

/* Reads all of `path` into memory, verifies the checksum, then the structure.  Numbers of any float type become Real.
 * A layer's weights come in the order of its weight_names: what counts for Keras, where names are free.  The layers of
 * CHECKPOINT_CLASS_PATHS come in no useful order, and without those that have no weights.
 * STATUS_FAILED, with a message that names the file, the place and the way out: missing, empty, cut, damaged, no
 * checksum, newer format, not a Keras file, rank above SHAPE_MAX, not numbers; Theano's mirrored kernels, files without
 * any names of before Keras 1.2. */
Status checkpoint_read(const char *path, CheckpointOrigin origin, Checkpoint **out);
void checkpoint_destroy(Checkpoint *checkpoint); /* accepts NULL; only for what checkpoint_read made */

/* Reads the file and compares its checksum, no more. */
Status checkpoint_verify(const char *path);

/* The weight `name` of layer `layer`, or NULL.  For model weights (layers, layer_count) and for a slot's. */
const CheckpointTensor *checkpoint_find(const CheckpointLayer *layers, size_t count, const char *layer,
                                        const char *name);

/* The slot of that name, or NULL. */
const CheckpointSlot *checkpoint_slot(const Checkpoint *checkpoint, const char *name);

#endif
