/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks that come with the project, each with the recipe it was published with.  The table is zoo_table.c; one file
 * per architecture family says what the networks are made of. */
#ifndef MODEL_ZOO_ZOO_H
#define MODEL_ZOO_ZOO_H
#include "model/model.h"

/* Default training options of a network, in the words of the command line; but l2 is part of the network. */
typedef struct ZooRecipe {
    const char *optimizer; /* "sgd", "adam", "rmsprop" */
    const char *schedule;  /* "constant", "step", "exponential", "cosine" */
    double lr, momentum, weight_decay, label_smoothing;
    double decay_epochs; /* step, exponential: the rate is multiplied by decay_rate after each so many */
    double decay_rate;   /* 0: the default, 0.1 */
    double warmup;       /* epochs in which the rate rises from 0 */
    size_t batch_size, epochs;
    double l2; /* penalty l2 * w^2 on kernels: half of what papers call weight decay, gradient += decay * w */
    const char *loss_weights; /* --loss-weights of a network with several outputs, else NULL */
} ZooRecipe;

typedef struct ZooNet ZooNet; /* a description that is being written: net.h */

typedef struct ZooEntry {
    const char *name;   /* --model */
    const char *source; /* where the network comes from */
    const ZooRecipe *recipe;
    Shape input;       /* usual size of an example; its rank says of what: row of numbers 1, series 2, image 3,
                        * video 4 */
    size_t classes;    /* usual number of classes */
    size_t parameters; /* saved weights at that size */
    size_t smallest;   /* length, or height and width, below which some layer has nothing to look at */
    void (*build)(ZooNet *net, int variant);
    int variant; /* which one of its family: 16 of VGG */
} ZooEntry;

extern const ZooEntry zoo_entries[];
extern const size_t zoo_count;

/* The entry of that name, or NULL. */
const ZooEntry *zoo_find(const char *name);

/* What a network may be told beside sizes. */
typedef struct ZooOptions {
    /* Stochastic depth (Huang, Sun, Liu, Sedra, Weinberger, "Deep networks with stochastic depth", ECCV 2016): the body
     * of residual block l of L is left out, for each example, with probability stochastic_depth * l / L.  Negative: as
     * the network has it by itself; 0: never. */
    double stochastic_depth;
    size_t vocabulary; /* numbers of a sequence are below it */
} ZooOptions;

enum { ZOO_VOCABULARY = 20000 }; /* the usual one */

/* Builds a network for examples of that shape (or the same but for extents of 1 at the end, where it takes no images)
 * and that many classes, with the usual options.  STATUS_USAGE: an unknown name, with a message that names the nearest;
 * an example that is none of the network's kind or smaller than it allows, or no classes. */
Status zoo_create(const char *name, Shape input, size_t classes, Model **out);

/* The same with options.  STATUS_USAGE, too: stochastic depth for a network without residual blocks. */
Status zoo_create_with(const char *name, Shape input, size_t classes, const ZooOptions *options, Model **out);

#endif
