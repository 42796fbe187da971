/* SPDX-License-Identifier: Apache-2.0
 *
 * The network as a directed acyclic graph of operations on named parameters.  Built once, front to back (a node's
 * inputs exist before it, so creation order is a topological order), then finished; from then on it does not change.
 *
 *     Graph *g;
 *     TRY(graph_create(&g));
 *     TRY(graph_input(g, "x", SHAPE(28, 28, 1), &x));
 *     TRY(graph_param(g, &(ParamSpec){.layer = "fc", .name = "kernel", .shape = SHAPE(784, 10), ...}, &kernel));
 *     TRY(graph_op(g, "fc", &(OpDesc){.kind = OP_DENSE}, 1, &x, 1, &kernel, &logits));
 *     TRY(graph_output(g, "fc", logits));
 *     TRY(graph_finish(g));
 *
 * Slabs: all parameters lie in one flat array, in the order in which the backward pass finishes their gradients:
 *     [ trained | moving statistics | fixed ]
 * A gradient slab has the same offsets for the first two parts, then the sums of the losses:
 *     [ gradients | n * batch statistics | LOSS_SUMS numbers per loss ]
 * so that one tree sum over ranks carries everything that a step has to agree on. */
#ifndef GRAPH_GRAPH_H
#define GRAPH_GRAPH_H
#include "backend/op.h"
#include "base/status.h"
#include "graph/initializer.h"

enum { GRAPH_SPAN_ALIGN = 16 }; /* parameters start at multiples of this many elements (a cache line of floats) */

typedef enum ParamRole {
    PARAM_TRAINED,   /* has a gradient */
    PARAM_FROZEN,    /* a trainable weight that this run does not train */
    PARAM_STATISTIC, /* moving statistic of a batch norm: updated by averages, saved */
    PARAM_FIXED,     /* never changes, saved (Normalization's mean) */
    PARAM_CONSTANT   /* comes from the layer's description, not saved as a weight */
} ParamRole;

typedef struct ParamSpec {
    const char *layer; /* name of the layer that owns it; copied */
    const char *name;  /* "kernel", "bias", "gamma"; copied */
    Shape shape;       /* as in a Keras file */
    ParamRole role;
    Initializer init;
    const double *values; /* as many as elements, instead of init; copied.  NULL: init decides */
    double l1, l2;        /* penalty l1 * sum|w| + l2 * sum w^2, added once per step */
    double momentum;      /* PARAM_STATISTIC: value = momentum * value + (1 - momentum) * batch average */
} ParamSpec;

typedef struct Param {
    ParamSpec spec;     /* strings owned by the graph */
    size_t offset;      /* in the slabs, after graph_finish */
    size_t count;       /* elements */
    size_t uses;        /* after finish: nodes of the training pass that use it */
    ParamRole declared; /* spec.role before finish, which makes statistics that do not move FROZEN */
} Param;

typedef struct Node {
    OpDesc op;                 /* op.n == 0 */
    char *layer;               /* owned; name of the layer that made it, for messages and profiles */
    int inputs[OP_MAX_INPUTS]; /* nodes; as many as op.inputs */
    int params[OP_MAX_PARAMS]; /* -1 where absent; as many as op.params */
    bool needs_gradient;       /* after finish: a trained parameter lies at or before it, and a loss after it */
    bool in_training, in_evaluation, in_prediction; /* after finish: which passes run it */
    size_t sums_offset; /* loss nodes: place of its LOSS_SUMS numbers in the gradient slab */
} Node;

typedef struct GraphOutput {
    char *name; /* owned */
    int node;
} GraphOutput;

typedef struct Graph {
    Node *nodes;
    Param *params;
    GraphOutput *outputs;
    int *inputs; /* input nodes, in the order in which they were added */
    char **input_names;
    int *losses; /* loss nodes */
    size_t node_count, param_count, output_count, input_count, loss_count;
    size_t trained_count;   /* elements of the first slab part, padding included */
    size_t statistic_count; /* of the second */
    size_t weight_count;    /* of the whole weight slab */
    size_t gradient_count;  /* of a gradient slab */
    size_t sums_offset;     /* of the sums of the first loss in a gradient slab */
    bool finished;
} Graph;

Status graph_create(Graph **out);
void graph_destroy(Graph *graph); /* accepts NULL */

/* Adds an input tensor of that shape (without batch) and name: "x", or a label "y".  Fails for an empty or
 * too large one. */
Status graph_input(Graph *graph, const char *name, Shape shape, int *node);

/* Adds a parameter. */
Status graph_param(Graph *graph, const ParamSpec *spec, int *param);

/* Adds an operation of layer `layer`.  `op` gives kind and attr; shapes, has_w and what the shape rule derives are
 * filled in here.  inputs: nodes.  params: parameters or -1.  Fails with STATUS_FAILED when the shapes do not fit; the
 * message names layer and reason. */
Status graph_op(Graph *graph, const char *layer, const OpDesc *op, size_t input_count, const int *inputs,
                size_t param_count, const int *params, int *node);

/* Shape of a node's output. */
Shape graph_shape(const Graph *graph, int node);

/* Names an output of the network.  Loss nodes register themselves. */
Status graph_output(Graph *graph, const char *name, int node);

/* Node of the input or output with that name, or -1. */
int graph_find_input(const Graph *graph, const char *name);
int graph_find_output(const Graph *graph, const char *name);

/* Works out which nodes each pass needs and where every parameter lies.  No change after it. */
Status graph_finish(Graph *graph);

/* Where the frozen front of a finished graph ends: the node from which alone the trained part (needs_gradient) reads,
 * beside labels.  Nothing before it has a gradient, but a dropout there still drops, and a batch norm without gamma and
 * beta that is not frozen still collects.  -1: nothing is frozen at the front (the trained part reads an input of the
 * network), or the trained part reads from several nodes. */
int graph_frontier(const Graph *graph);

/* *node = the last one whose value is the same for an example all through the training, and behind which all lies that
 * changes: its values may be computed once and kept (features of a frozen trunk).  Nothing at or before it is trained
 * or random, nor a batch norm that collects; at least one frozen parameter is there.  -1: there is none; in particular
 * when the rest of the network reads an input, too. */
Status graph_constant(const Graph *graph, int *node);

/* Writes initial values of every parameter into `weights` [weight_count]: a function of (seed, layer name, parameter
 * name). */
void graph_initialize(const Graph *graph, uint64_t seed, Real *weights);

/* Completes op->y, pads, keeps_x, keeps_y, in_place from kind, attr, x, w.  In graph/ops: one file per family, one
 * table. */
Status op_shape(OpDesc *op);

/* Multiply-adds times two of one example's forward pass. */
double op_flops(const OpDesc *op);

/* Of its backward pass, as far as the plan wants it: as much for the gradient of the input and for that of w0. */
double op_flops_backward(const OpDesc *op);

#endif
