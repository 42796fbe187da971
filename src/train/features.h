/* SPDX-License-Identifier: Apache-2.0
 *
 * Cached features: what the frozen front of a network (graph_constant) makes of every example is computed once, before
 * the first epoch, and the epochs train and validate the rest of the network on that.  The values are kept in one table
 * per split that the ranks of a node share, in memory or in a file (dist/shared.h); they take the place of the examples
 * in the dataset (dataset_give_features), so that order, micro-batches and loaders are those of any training.
 *
 *     features_choose          after setup_graph: decides; features_say tells the user
 *     features_prepare         plans
 *     features_make            once the weights are there
 *     (training: plans with part.from = features.node, fed with the loader's x)
 *     features_drop            the dataset is as before
 *
 * Examples go through the front in blocks of EVALUATE_BLOCK in the order of the file, whole blocks dealt to ranks: the
 * same numbers on any number of ranks, and after a resume, which makes them anew. */
#ifndef TRAIN_FEATURES_H
#define TRAIN_FEATURES_H
#include "dist/shared.h"
#include "train/replica.h"
#include "train/setup.h"

typedef struct Features {
    int node;            /* whose values they are; 0: there are none, as a whole network is trained */
    int constant;        /* the one whose values could be kept; -1: there is none */
    const char *varying; /* why they are not, as of features_choose; borrowed */
    size_t width;        /* numbers of an example */
    const char *folder;  /* of the files; NULL: in memory.  Borrowed from the options */
    bool of[DATASET_SPLITS];
    Shared table[DATASET_SPLITS];
    size_t foreign; /* bytes of tables that this rank has seen, but another one of its node has brought */
} Features;

/* Decides by --cache-features and the sizes whether there are features, and of which splits; not by the machine, as
 * that decides bits.  validates: validation examples are a split of their own, too.  varying: the option by which
 * training examples differ from epoch to epoch, so that there can be no features; NULL: none.  Allocates next to
 * nothing.  Not collective. */
Status features_choose(const Config *config, const Setup *setup, bool validates, const char *varying, Features *out);

/* Says in one line what was decided, if there was anything to decide. */
void features_say(const Features *features, const Config *config, const Setup *setup);

/* Plans the front for them.  Before replica_ready. */
Status features_prepare(const Features *features, const Setup *setup, Replica *replica);

/* Most bytes that features_make takes on this rank, the tables included. */
double features_bytes(const Features *features, const Setup *setup);

/* Computes them with the replica's weights and gives them to setup->data.  No loader may exist.  Collective; agreed.
 * STATUS_FAILED: no room, or the data cannot be read.  STATUS_STOPPED: a rank was asked to stop (signals.h). */
Status features_make(Features *features, const Setup *setup, const Replica *replica);

/* Gives their memory back; the dataset has its own examples again.  No loader may exist.  Accepts features that are not
 * made. */
void features_drop(Features *features, const Setup *setup);

#endif
