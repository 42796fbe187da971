/* SPDX-License-Identifier: Apache-2.0
 *
 * Data and network brought together: what programs that compute begin with. */
#ifndef TRAIN_SETUP_H
#define TRAIN_SETUP_H
#include "data/dataset.h"
#include "data/loader.h"
#include "data/preprocess.h"
#include "dist/dist.h"
#include "model/model.h"
#include "train/config.h"
#include "train/metrics.h"
#include "train/state.h"

enum { SETUP_MAX_INPUTS = 16 };
typedef enum SetupSource { SETUP_EXAMPLES = -1, SETUP_WEIGHTS = -2 } SetupSource;

typedef struct Setup {
    Dist *dist;              /* borrowed */
    size_t classes;          /* --classes; 0: as the data have */
    double stochastic_depth; /* zoo_create_with */
    Dataset *data;           /* NULL: pictures are predicted, without a dataset */
    const DatasetInfo *info; /* of data */
    Preprocess preprocess;
    char *preprocess_json;
    Model *model;
    Graph *graph;
    int input_source[SETUP_MAX_INPUTS]; /* per graph input: a SetupSource, else one of the dataset's labels */
    double loss_weights[STATE_MAX_LOSSES];
    const char *metric_list; /* --metrics; borrowed from the Config */
    Metrics *metrics;        /* of training; NULL: none */
    Targets targets;         /* for loaders */
    double *class_weights;   /* [classes of the first label] owned; NULL: none */
} Setup;

void setup_close(Setup *setup);

/* Opens `path` ("": the digits that ship with the project) on every rank and checks that all see the same data; cores
 * that nobody computes on help to decode pictures.  Collective. */
Status setup_data(Setup *setup, const char *path, const DatasetOptions *options);

/* The same of a run's options; `network` is how pictures in folders come to the network where the options do not say.
 * STATUS_USAGE: options for pictures, and the data are none that are decoded. */
Status setup_run_data(Setup *setup, const Config *config, const DatasetOptions *network);

/* setup->model = the network that `text` (Keras JSON, the same on all ranks; `source` names it in messages) describes,
 * or, text NULL, the zoo's network `source` for the shape of the data, setup->classes and setup->stochastic_depth.  It
 * ends in softmax for class numbers and one-hot labels, in sigmoid for several labels of 0 or 1, linearly for numbers.
 * Agreed. */
Status setup_model(Setup *setup, const char *text, const char *source);

/* The layer of that class (Keras's name) that the network begins with: only layers that change no range of values lie
 * between an input and it; NULL: none. */
const ModelLayer *setup_begins_with(const Setup *setup, const char *class);

/* Whether the data are bytes and the network itself begins with Rescaling or Normalization, as Keras's networks for
 * pixels of 0 to 255 do. */
bool setup_scales_input(const Setup *setup);

/* setup->preprocess: the mode `name` of data/preprocess.h.  "": its default, but none where setup_scales_input or
 * vocabulary_is_read.  record: NULL,
 * or the JSON of another file (data/preprocess.h), whose mean and deviation "dataset" then takes.  After
 * setup_model. */
Status setup_preprocess(Setup *setup, const char *name, const char *record);

/* setup->graph = the network with the losses that `config` asks for, finished and checked against the data; where its
 * inputs come from; and targets, but for class weights (class_weights.h).  Agreed.  Failures: shapes, label kinds or
 * class numbers do not fit. */
Status setup_graph(Setup *setup, const Config *config);
Status setup_build_graph(Setup *setup, const Config *config); /* the same on one rank: not agreed */

/* The same without losses, to predict: the data need no labels.  layer_nodes[layers of the model]: the node of each
 * layer's output.  Not agreed. */
Status setup_graph_to_predict(Setup *setup, int *layer_nodes);

/* The dataset's label for the output of that name: the one of its name, else the first; NULL: there is none. */
const DatasetLabel *setup_label(const DatasetInfo *info, const char *output);

/* Points the graph's inputs to a batch. */
void setup_inputs(const Setup *setup, const LoaderBatch *batch, const Real *inputs[SETUP_MAX_INPUTS]);

#endif
