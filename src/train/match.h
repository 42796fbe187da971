/* SPDX-License-Identifier: Apache-2.0
 *
 * Which weight of a file belongs to which parameter of a network.
 *
 * Files with names (.h5), for each group of weights (a layer's, or those of a network in the network):
 *   1. the file's group of the same name, '/' and '_' being the same.  Names that Keras makes up (conv2d_7) count only
 *      where the file has the same ones and all fit: they number the layers of a session
 *   2. the layer's name in the names of the weights, "resnet50/conv1_conv/kernel:0": the file has the network inside
 *      another.  The other way round, the layer's name among the file's groups
 *   3. what is left, by order: the file's first group that is left to the network's first, and so on
 * Files with class paths (.weights.h5, .keras): the same path; or one that ends in it, or in which it ends, where the
 * file or the network has the other inside another. */
#ifndef TRAIN_MATCH_H
#define TRAIN_MATCH_H
#include "io/checkpoint.h"
#include "model/model.h"

typedef enum MatchWay { MATCH_NONE, MATCH_BY_NAME, MATCH_BY_PATH, MATCH_BY_ORDER, MATCH_WAYS } MatchWay;

typedef struct Match {
    MatchWay way;
    const CheckpointLayer *layer; /* borrowed from the checkpoint; NULL: the parameter starts anew */
    const CheckpointTensor *tensor;
} Match;

typedef struct Matches {
    const Graph *graph; /* borrowed, like the checkpoint */
    const Checkpoint *checkpoint;
    /* [count] owned: the saved parameters in the order of Keras: layer by layer; those of a network inside stand
     * together, what is trained first. */
    int *order;
    size_t count;
    Match *of;                /* [graph->param_count] owned */
    size_t found[MATCH_WAYS]; /* parameters that were found each way; MATCH_NONE: that start anew */
    size_t unused;            /* tensors of the file that belong nowhere */
} Matches;

/* What a layer is to the matching. */
typedef enum MatchPart {
    MATCH_BODY,
    MATCH_HEAD, /* a head (model/model_edit.h): where its weights are missing or do not fit, all heads start anew */
    MATCH_NEW   /* starts anew, whatever the file has */
} MatchPart;

typedef struct MatchOptions {
    bool allow_mismatch;    /* layers whose weights are missing or do not fit start anew (Keras's skip_mismatch) */
    const MatchPart *parts; /* [model->layer_count]; NULL: all body */
} MatchOptions;

/* Finds the weights of all saved parameters.  Every one must be there and fit, but for what `options` allows.  `origin`
 * (the file) is for messages; a failure names the layer, both shapes and the way out.  The caller frees with
 * match_free. */
Status match_weights(const Model *model, const Graph *graph, const Checkpoint *checkpoint, const char *origin,
                     MatchOptions options, Matches *out);
void match_free(Matches *matches); /* also after a failure, or of zeros */

/* Copies what was found into the weight slab. */
void match_copy(const Matches *matches, Real *weights);

/* Says in a few lines what came from where: how many tensors were loaded and how, which are new, skipped (of the file)
 * and frozen; to verbose users, each tensor in a table by layer.  options: those of match_weights. */
void match_report(const Matches *matches, const MatchOptions *options, const Model *model, const char *origin);

#endif
