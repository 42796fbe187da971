/* SPDX-License-Identifier: Apache-2.0
 *
 * What --tensorboard writes into the run folder, beside metrics.csv, for TensorBoard to draw (tensorboard --logdir RUN,
 * or the folder above several runs):
 *
 *     tensorboard/train/         epoch_loss, epoch_accuracy, epoch_learning_rate, ...: the columns of metrics.csv, by
 *                                epoch; batch_loss, by step; histograms of weights and gradients; inputs and filters
 *                                as images; the graph of the network
 *     tensorboard/validation/    the columns val_..., as epoch_... too, so that both curves stand in one chart, as
 *                                Keras has it
 *
 * Epochs count from 1, as everywhere.  A resume cuts both files back to its checkpoint, and what they then lack of the
 * history is added: so are the rows of a run that was begun without them.  Apart from the wall time, the scalars are
 * those of an undisturbed run.
 *
 * Rank 0 alone has a board, others NULL, which every function takes and does nothing with; nothing here is collective.
 * Nothing fails either: what cannot be written is a warning, and the next epoch tries again. */
#ifndef TRAIN_BOARD_H
#define TRAIN_BOARD_H
#include "base/real.h"
#include "base/shape.h"
#include "graph/graph.h"
#include "train/history.h"
#include "train/state.h"
#include <stdbool.h>

typedef struct Board Board;

typedef struct BoardOptions {
    size_t steps;      /* batch_loss every so many steps; 0: never */
    size_t histograms; /* histograms and images every so many epochs; 0: never */
} BoardOptions;

/* Opens the files of `run` as they are for a run that goes on from `state`, or begins.  Returns NULL after a
 * warning. */
Board *board_open(const char *run, const BoardOptions *options, const TrainState *state);
void board_close(Board *board);

/* Is batch_loss wanted of this step (from 1)?  Then the loss of its batch alone. */
bool board_wants_step(const Board *board, uint64_t step);
void board_step(Board *board, uint64_t step, double loss);

/* Are histograms and images wanted of this epoch (from 1)? */
bool board_wants_epoch(const Board *board, uint64_t epoch);

/* The first examples of an epoch as they go into the network: x[n][shape].  Those that are no images are left out. */
void board_inputs(Board *board, uint64_t epoch, const Shape *shape, const Real *x, size_t n);

/* Histograms of the trained parameters' gradients: `sums` as the exchange left them, which are divided by `weight`.  In
 * the last step of an epoch, whose board_epoch follows. */
void board_gradients(Board *board, uint64_t epoch, const Graph *graph, const Real *sums, double weight);

/* The end of an epoch: scalars of all rows that the files lack, and of the weights histograms and the first layer's
 * filters. */
void board_epoch(Board *board, const History *history, const Graph *graph, const Real *weights);

/* The network, once per run: a node for each operation, named by its layer. */
void board_graph(Board *board, const Graph *graph);

/* Writes what is kept in memory, before a checkpoint counts on it. */
void board_flush(Board *board);

#endif
