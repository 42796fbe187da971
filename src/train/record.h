/* SPDX-License-Identifier: Apache-2.0
 *
 * A run as a checkpoint and back: which weight, slot and number stands where (io/checkpoint.h knows the file). */
#ifndef TRAIN_RECORD_H
#define TRAIN_RECORD_H
#include "io/checkpoint.h"
#include "io/digest.h"
#include "model/model.h"
#include "train/config.h"
#include "train/history.h"
#include "train/metrics.h"
#include "train/optimizer.h"
#include "train/state.h"

/* What a run consists of; everything borrowed. */
typedef struct Record {
    const Model *model;
    const Graph *graph;
    Real *weights; /* [graph->weight_count] */
    Real *average; /* the same of averaged weights; NULL: none */
    Optimizer *optimizer;
    History *history;
    TrainState *state;
    const Metrics *metrics; /* NULL: none */
    const Config *config;
    const char *preprocess;  /* JSON */
    const char *fingerprint; /* of the data */
    const char *content;     /* dataset_content */
    const char *environment; /* backend_describe */
    const char *files;       /* record_files; NULL: unknown */
    size_t train_examples;   /* of an epoch */
    int ranks;
} Record;

/* The checkpoint of this moment, to be compared or written: texts are owned, numbers those of the record.  To be given
 * back with record_content_free, also after a failure. */
typedef struct RecordContent {
    Checkpoint checkpoint;
    CheckpointSlot slots[OPTIMIZER_MAX_SLOTS + 1];
    char *model, *training, *state;
} RecordContent;
Status record_content(const Record *record, RecordContent *out);
void record_content_free(RecordContent *content);

/* The checkpoint of this moment, as a file image (checkpoint_image).  Averaged weights are the network's weights there,
 * what Keras, evaluation and --init-from see; the weights that training goes on with are then a slot named
 * "weights". */
Status record_image(const Record *record, unsigned char **image, size_t *size);

/* The numbers of a checkpoint's state text.  `origin` (the file) is for messages. */
typedef struct RecordState {
    TrainState state;
    Config config;                                       /* options recorded, source SOURCE_FILE */
    char *fingerprint, *environment, *history, *metrics; /* owned */
    char *content;                                       /* owned: dataset_content; "" in old ones */
    char *files; /* owned: record_files of the run's beginning; {} in old ones */
    size_t train_examples;
    size_t ranks; /* 0: not known */
} RecordState;
Status record_parse(const char *text, const char *origin, RecordState *out);
void record_free(RecordState *state);

/* Copies weights and slots of a checkpoint of the same network into the record's.  Every tensor must be there and
 * fit. */
Status record_restore(const Record *record, const Checkpoint *checkpoint, const char *origin);

/* *text = the network of a file, for model_parse; with the version of Keras that wrote the file, which decides what
 * some words mean.  The caller frees with memory_free.  Fails for a file of weights only. */
Status record_network(const Checkpoint *checkpoint, const char *origin, char **text);

/* Copies weights alone, as match_weights finds them.  A tensor that is missing or does not fit is an error.  *loaded =
 * number of tensors. */
Status record_load_weights(const Model *model, const Graph *graph, Real *weights, const Checkpoint *checkpoint,
                           const char *origin, size_t *loaded);

/* Which arrays of a slab stand in a file, and under which layers. */
typedef struct RecordLayers {
    const Model *model; /* that the graph was built from */
    const Graph *graph;
    const Model *written; /* the file's: `model`, or a part of it with the same names of layers */
    bool by_path;         /* layers are named as in Keras 3's files, not by their names */
    const Real *slab;     /* [graph->weight_count] */
    bool trained;         /* parameters with a gradient only, and layers that have such */
} RecordLayers;

/* Layers for a checkpoint, with a tensor for each parameter, whose numbers stay in the slab.  The caller gives them
 * back with record_free_layers. */
Status record_layers(const RecordLayers *of, CheckpointLayer **layers, size_t *count);
void record_free_layers(CheckpointLayer *layers); /* accepts NULL */

/* A parameter's numbers in `slab`, as a tensor of a checkpoint. */
CheckpointTensor record_tensor(const Param *param, const Real *slab);

/* The digest of all that decides how training goes on: no times, speeds, paths, hosts, rank counts. */
Status record_digest(const Checkpoint *checkpoint, char hex[DIGEST_HEX]);

/* Keras's training_config for the run's optimizer and losses.  The caller frees with memory_free. */
Status record_training_config(const Graph *graph, const Config *config, char **out);

#endif
