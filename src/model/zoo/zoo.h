/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks that come with the project, each with the recipe it was published with.  One file per architecture family. */
#ifndef MODEL_ZOO_ZOO_H
#define MODEL_ZOO_ZOO_H
#include "model/model.h"

/* Default training options of a network, in the words of the command line. */
typedef struct ZooRecipe {
    const char *optimizer; /* "sgd", "adam" */
    const char *schedule;  /* "constant", "step", "cosine" */
    double lr, momentum, weight_decay, label_smoothing;
    double decay_epochs; /* step: the rate falls to a tenth after each so many */
    size_t batch_size, epochs;
} ZooRecipe;

typedef struct ZooNet ZooNet; /* a description that is being written: net.h */

typedef struct ZooEntry {
    const char *name;   /* --model */
    const char *source; /* where the network comes from */
    ZooRecipe recipe;
    Shape input;       /* usual size of an example */
    size_t classes;    /* usual number of classes */
    size_t parameters; /* saved weights at that size */
    void (*build)(ZooNet *net, Shape input, size_t classes);
} ZooEntry;

extern const ZooEntry zoo_entries[];
extern const size_t zoo_count;

/* The entry of that name, or NULL. */
const ZooEntry *zoo_find(const char *name);

/* Builds a network for examples of that shape and that many classes.  An unknown name: STATUS_USAGE
 * and a message that lists the names. */
Status zoo_create(const char *name, Shape input, size_t classes, Model **out);

#endif
