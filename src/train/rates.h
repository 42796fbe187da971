/* SPDX-License-Identifier: Apache-2.0
 *
 * Parameters that learn at rates of their own: what the learning rate is multiplied by, from --lr-multiplier and
 * --layer-decay.
 *
 *   --layer-decay X   X^depth.  Depth: the layers with a kernel (a weight of two dimensions and more) on the longest
 *                     way from here to an output.  So the head has 1, what lies in front of it X, and a batch norm the
 *                     same as the convolution before it (timm counts blocks instead: names of which Keras files have
 *                     none)
 *   --lr-multiplier PATTERN=X   times X for the layers that the pattern matches (fnmatch(3)); of several patterns that
 *                     match, the last counts */
#ifndef TRAIN_RATES_H
#define TRAIN_RATES_H
#include "graph/graph.h"
#include "train/config.h"

/* *out = a multiplier for each of the graph's parameters, or NULL where all are 1; freed with memory_free.  graph:
 * finished.  STATUS_USAGE: a pattern that matches no trained layer, or a number that is none.  Not collective. */
Status rates_multipliers(const Config *config, const Graph *graph, double **out);

#endif
