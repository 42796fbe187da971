/* SPDX-License-Identifier: Apache-2.0
 *
 * A network as Keras describes it in JSON: layers, how they are configured and who reads whose output.
 *
 *     Model *m;
 *     TRY(model_parse(text, "net.json", &m));
 *     TRY(graph_create(&g));
 *     ModelLoss loss = {.kind = MODEL_LOSS_AUTO, .weight = 1};
 *     TRY(model_build(m, &(ModelBuild){.losses = &loss, .loss_count = 1}, g));
 *     TRY(graph_finish(g));
 *
 * Read: Sequential and Functional (also called Model), as written by Keras 2 (model_config of .h5 files, to_json) and
 * by Keras 3.  Written: the one form that both load.  Which layers and which of their options are known: layers.h.
 *
 * A Model is flat.  A network inside another (also shared, also several deep) is replaced by its layers when it is
 * read, since no form of nested networks is loaded by Keras 2 and 3.  Layers keep their names; where the name is taken
 * already, the inner layer is called NETWORK_LAYER, and NETWORK_LAYER_2 if that is taken too.  A '/' in a name, which
 * Keras 3 refuses, becomes '_'. */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H
#include "base/status.h"
#include "graph/graph.h"
#include <jansson.h>

enum {
    MODEL_MAX_LAYERS = 10000, /* layers, and calls of layers, in one network */
    MODEL_LAYER_PARAMS = 8,   /* most parameters of one layer */
    MODEL_MAX_DEPTH = 16      /* of networks in networks */
};

struct LayerClass; /* layers.h */

/* The output of one call of a layer.  A layer that is not shared is called once: call 0. */
typedef struct ModelTensor {
    size_t layer, call;
    size_t output; /* 0: a layer has one output.  While a file is read: which output of a network in a network */
} ModelTensor;

typedef struct ModelCall {
    ModelTensor *inputs; /* owned */
    size_t input_count;  /* 0 for an InputLayer */
} ModelCall;

typedef struct ModelLayer {
    const struct LayerClass *class; /* class->name is Keras's class name */
    char *name;                     /* owned; unique in the model */
    json_t *config;                 /* owned; every key of the class that decides the result, defaults filled in */
    bool trainable;                 /* may be changed before model_build (--freeze) */
    bool trainable_in_file;         /* as it was read: decides the order of a nested network's weights in its group */
    ModelCall *calls;               /* owned */
    size_t call_count;
    /* Where Keras's files have the weights of the network that was read; all three say the same of a flat network. */
    char *group;  /* owned; .h5: the group, named like the layer, or like the outermost network that it lies in */
    char *path;   /* owned; .weights.h5: "conv2d_1", "functional/layers/conv2d" (io/checkpoint.h) */
    size_t place; /* the layer's number when each network's layers are counted where it stands: the order in a group */
    struct Model *network; /* NULL.  While a file is read: the network that stands here, owned */
} ModelLayer;

typedef struct Model {
    char *name; /* owned */
    bool sequential;
    int keras;          /* 2 or 3: whose meaning of hard_sigmoid holds */
    ModelLayer *layers; /* owned; in the order of Keras's model.layers, which is the order of weights in files */
    size_t layer_count;
    ModelTensor *inputs, *outputs; /* owned */
    size_t input_count, output_count;
    ModelTensor *order; /* owned; every call, each after those that it reads */
    size_t order_count;
} Model;

/* Reads a network from JSON text.  `source` (a file name) stands in front of every message.  Anything that is not
 * understood (layer class, key, value) is an error that names layer and key: nothing is passed over silently. */
Status model_parse(const char *text, const char *source, Model **out);
void model_destroy(Model *model); /* accepts NULL */

/* The canonical JSON text: the Keras 2 dialect in the form that Keras 3 and Keras 2 both load, without keys that have
 * their default value.  model_parse of it gives the same model.  The caller frees with memory_free. */
Status model_to_json(const Model *model, char **text);

/* Index of the layer with that name, or -1. */
int model_find_layer(const Model *model, const char *name);

/* Is it a name that Keras makes up for a layer or network without one: "conv2d", "conv2d_7", "functional_1"? */
bool model_is_automatic_name(const char *name);

enum { MODEL_LOSS_AUTO = -1 };

/* One loss.  AUTO goes by the end of the output: softmax: sparse_categorical_crossentropy, or categorical_crossentropy
 * when `label` has the prediction's shape; sigmoid: binary_crossentropy; else sparse_categorical_crossentropy
 * when `label` is one number where the prediction has several, else mean_squared_error. */
typedef struct ModelLoss {
    const char *output;              /* name of the output; NULL: the only one */
    int kind;                        /* LossKind or MODEL_LOSS_AUTO */
    double weight;                   /* in the total loss; usually 1 */
    double label_smoothing;          /* see LossAttr */
    double delta;                    /* Huber; 0 means Keras's 1 */
    double focal_gamma, focal_alpha; /* LossAttr.gamma, .alpha; an alpha of 0 means 0.25, binary: none, as in Keras */
    double
        margin; /* 0 means 1 for contrastive (on the unit sphere distances are at most 2), 0.2 for triplet (FaceNet) */
    const Shape *label; /* shape of one example's label where it is known, else NULL */
    bool soft;          /* class numbers come as probabilities: categorical_crossentropy instead of the sparse one */
} ModelLoss;

typedef struct ModelBuild {
    const ModelLoss *losses; /* none for prediction */
    size_t loss_count;
    int *layer_nodes;  /* NULL, or [layer_count]: set to the node of each layer's output, the last call's */
    bool weighted;     /* all losses read the examples' weights */
    const Shape *open; /* the data's: takes the place of extents that an input leaves open (null).  NULL: an error */
} ModelBuild;

/* Adds the network to a graph that is not finished: inputs, parameters, operations, outputs, losses.
 *   inputs   "x" when there is one, else the names of the InputLayers
 *   outputs  the layer's name; further calls of the same layer that are outputs too: name_1, name_2
 *   labels   "y" when there is one loss, else the output's name.  Shape: for sparse cross-entropy the prediction's
 *            without the last axis, else the prediction's
 *   weights  "sample_weight", a scalar, where the losses are weighted
 * A final softmax (for binary cross-entropy: sigmoid) stays in the output, but the loss reads what lies before it.  So
 * does Keras on TensorFlow; on PyTorch it takes the logarithm of probabilities kept between 1e-7 and 1 - 1e-7, so that
 * an example that the network is sure to get wrong counts 16.1 at most there, and more here.  Where the last layer is
 * dense or a convolution without activation, cross-entropies take it for logits, as from_logits=True does in Keras.
 * Focal ones are cross-entropies here.  Losses of pairs read what lies before a final softmax, as embedding; their
 * label is a class number.
 * Fails when shapes do not fit; the message names the layer. */
Status model_build(const Model *model, const ModelBuild *options, Graph *graph);

/* The saved parameters of layer number `layer` in the order of Keras files (kernel, bias; gamma, beta, moving_mean,
 * moving_variance): their indices in a graph that model_build filled.  Returns how many. */
size_t model_layer_params(const Model *model, size_t layer, const Graph *graph, int params[MODEL_LAYER_PARAMS]);

/* Keras's name of a loss ("sparse_categorical_crossentropy"), and back: LossKind, MODEL_LOSS_AUTO for "auto", else
 * an error that lists the names. */
const char *model_loss_name(LossKind kind);
Status model_loss_find(const char *name, int *kind);

#endif
