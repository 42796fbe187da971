/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of a network's layers that a run begins with, as model.summary() of Keras: name, operation, output shape,
 * parameters of each layer, then the totals. */
#ifndef TRAIN_SUMMARY_H
#define TRAIN_SUMMARY_H
#include "graph/graph.h"

/* *out = the text, at most 80 columns wide, one line a layer; the caller frees with memory_free.  title: the network's
 * name.  notes: lines after the totals (memory forecast), or NULL.  A shared layer stands where it is first used. */
Status summary_format(const Graph *graph, const char *title, const char *notes, char **out);

#endif
