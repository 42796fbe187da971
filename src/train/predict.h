/* SPDX-License-Identifier: Apache-2.0
 *
 * What a trained network makes of examples: its output, or that of any layer (features, embeddings), one row for each
 * example, in order, each exactly once, the same bits on any number of ranks.
 *
 *     predict_open(dist, &options, &predictor);
 *     predict_run(&predictor, sink, user);       rank 0's sink gets all rows, block by block
 *     predict_close(&predictor); */
#ifndef TRAIN_PREDICT_H
#define TRAIN_PREDICT_H
#include "train/trained.h"

typedef struct PredictOptions {
    const TrainedArguments *trained;
    const char *layer; /* "": the network's output */
    bool embedding;    /* layer "": predict_embedding_node instead */
} PredictOptions;

typedef struct Predictor {
    Trained trained;
    int node;     /* whose values are given */
    Shape shape;  /* of one example's */
    size_t width; /* their number */
} Predictor;

/* Network, weights, data and plans.  Prints nothing but warnings and failures.  Collective, agreed.  STATUS_USAGE: no such layer (the
 * message lists the nearest), or several outputs and none chosen.  predict_close also after a failure. */
Status predict_open(Dist *dist, const PredictOptions *options, Predictor *out);
void predict_close(Predictor *predictor);

/* The node in front of the classifier: what the last layer with weights reads, if the network ends in a softmax or a
 * sigmoid; else the output itself. */
int predict_embedding_node(const Graph *graph);

/* n examples of trained.view from `first` on: values[n][width]; labels as dataset_read gives them, NULL where there are
 * none. */
typedef Status PredictSink(void *user, size_t first, size_t n, const Real *values, Real *const labels[]);

/* Runs all examples of the view; blocks of EVALUATE_BLOCK, dealt to ranks in turn.  Collective, agreed; `sink` is called on
 * rank 0 alone. */
Status predict_run(Predictor *predictor, PredictSink *sink, void *user);

#endif
